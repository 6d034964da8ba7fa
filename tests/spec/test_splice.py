import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.spec.members import elements, members
from headgate.spec.splice import is_plain, prepend, remove, rename

TIMESTAMP, WRITE_KEY, CONTEXT = b'"timestamp"', b'"writeKey"', b'"context"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"writeKey":"x"}', b"{}"),
        (b'{"writeKey":"x" , "a":1}', b'{"a":1}'),
        (b'{"a":1 , "writeKey":"x" }', b'{"a":1 }'),
        (b'{"a":1,"writeKey":{"a":"}"}}', b'{"a":1}'),
        (b'{"a":1,"writeKey":[1,[2]],"b":2}', b'{"a":1,"b":2}'),
        (b'{"writeKey":null,"p":{"writeKey":2}}', b'{"p":{"writeKey":2}}'),
        (b'{"a":1,"a":2,"writeKey":1,"writeKey":2}', b'{"a":1,"a":2}'),
        (b'{"writeKey":1,"a":"writeKey"}', b'{"a":"writeKey"}'),
        (b'{"a":"\\"writeKey","writeKey":1}', b'{"a":"\\"writeKey"}'),
        (b'{"writeKe\\u0079":1,"a":2}', b'{"a":2}'),
        (b'{"writeKe\\u0079":1,"a":"writeKey"}', b'{"a":"writeKey"}'),
        (b'{"a":"\\ud83d","writeKey":"\\"x\\\\","x":"\\u00e9"}', b'{"a":"\\ud83d","x":"\\u00e9"}'),
        (b'{"writeKey":-1e5,"b":1.0}', b'{"b":1.0}'),
    ],
)
def test_a_member_goes_and_all_else_stays_byte_for_byte(text: bytes, expected: bytes) -> None:
    assert remove(text, WRITE_KEY, plain=False) == expected
    assert remove(text, WRITE_KEY, plain=is_plain(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"timestamp":1}', b'{"new":1,"z":1}'),
        (b'{"timestamp" : "a:\\"b" }', b'{"new" : "a:\\"b" ,"z":1}'),
        (b'{"p":{"timestamp":1},"timestamp":2}', b'{"p":{"timestamp":1},"new":2,"z":1}'),
        (b'{"timestamp":1,"timestamp":2}', b'{"new":1,"new":2,"z":1}'),
        (b'{"n":"timestamp","t\\u0069mestamp":2}', b'{"n":"timestamp","new":2,"z":1}'),
        (b'{"n":"\\"timestamp","timestamp":2}', b'{"n":"\\"timestamp","new":2,"z":1}'),
    ],
)
def test_the_objects_own_key_is_renamed_and_members_are_added(text: bytes, expected: bytes) -> None:
    assert rename(text, TIMESTAMP, b'"new"', added=b',"z":1', plain=False) == expected
    assert rename(text, TIMESTAMP, b'"new"', added=b',"z":1', plain=is_plain(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"context":{}}', b'{"context":{"z":1}}'),
        (b'{"context":{ }}', b'{"context":{"z":1 }}'),
        (b'{"context":{"a":1}}', b'{"context":{"z":1,"a":1}}'),
        (b'{"context": {"a":1}}', b'{"context": {"z":1,"a":1}}'),
        (b'{"context" :{ "a":1}}', b'{"context" :{"z":1, "a":1}}'),
        (b'{"context":{"a":1},"context":{"b":2}}', b'{"context":{"a":1},"context":{"z":1,"b":2}}'),
        (
            b'{"p":{"context":{"c":3}},"context":{"b":2}}',
            b'{"p":{"context":{"c":3}},"context":{"z":1,"b":2}}',
        ),
    ],
)
def test_members_are_added_at_the_start_of_the_object_that_counts(text: bytes, expected: bytes) -> None:
    assert prepend(text, CONTEXT, b'"z":1', plain=False) == expected
    assert prepend(text, CONTEXT, b'"z":1', plain=is_plain(text)) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["timestamp", "writeKey", "userId", "{", '"', "a"]) | st.text()
SPACING = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")])


@given(st.dictionaries(KEYS, JSON, max_size=6), SPACING, st.booleans())
def test_splicing_is_what_it_would_be_on_the_value(
    value: dict[str, Any], separators: tuple[str, str], ascii_only: bool
) -> None:
    value |= {"timestamp": 1, "writeKey": "x"}
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    expected = {"originalTimestamp" if key == "timestamp" else key: each for key, each in value.items()}
    del expected["writeKey"]
    for plain in {False, is_plain(text)}:
        without = remove(text, WRITE_KEY, plain=plain)
        spliced = rename(without, TIMESTAMP, b'"originalTimestamp"', added=b',"z":1', plain=plain)
        assert json.loads(spliced.decode(errors="surrogatepass")) == expected | {"z": 1}


@given(st.dictionaries(KEYS, JSON, max_size=6), SPACING)
def test_members_and_elements_say_where_each_value_stands(
    value: dict[str, Any], separators: tuple[str, str]
) -> None:
    text = json.dumps(value, separators=separators).encode()
    found = {json.loads(key): json.loads(text[at.value_start : at.end]) for key, at in members(text)}
    assert found == value
    array = json.dumps(list(value.values()), separators=separators).encode()
    assert [json.loads(array[start:end]) for start, end in elements(array)] == list(value.values())
