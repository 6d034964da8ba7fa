import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.spec.members import elements, members, splice

RENAME = {"timestamp": b'"originalTimestamp"'}
REMOVE = frozenset({"writeKey"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"{}", b'{"z":1}'),
        (b" { } ", b'{"z":1}'),
        (b'{"writeKey":"x"}', b'{"z":1}'),
        (b'{"writeKey":"x" , "a":1}', b'{"a":1,"z":1}'),
        (b'{"a":1,"writeKey":{"a":"}"}}', b'{"a":1,"z":1}'),
        (b'{"a":1.0,"b":12345678901234567890}', b'{"a":1.0,"b":12345678901234567890,"z":1}'),
        (b'{"timestamp" : "a:\\"b"}', b'{"originalTimestamp" : "a:\\"b","z":1}'),
        (b'{"p":{"timestamp":1,"writeKey":2}}', b'{"p":{"timestamp":1,"writeKey":2},"z":1}'),
        (b'{"a":1,"a":2,"writeKey":1,"writeKey":2}', b'{"a":1,"a":2,"z":1}'),
        (b'{"\\u0061":"\\ud83d","x":"\\u00e9"}', b'{"\\u0061":"\\ud83d","x":"\\u00e9","z":1}'),
        (b'{"a":[1,[2,"]"]],\n\t"b":null}', b'{"a":[1,[2,"]"]],\n\t"b":null,"z":1}'),
    ],
)
def test_all_that_is_not_named_stays_byte_for_byte(text: bytes, expected: bytes) -> None:
    assert splice(text, RENAME, REMOVE, b'"z":1') == expected


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
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    spliced = json.loads(splice(text, RENAME, REMOVE, b'"z":1').decode(errors="surrogatepass"))
    expected = {"originalTimestamp" if key == "timestamp" else key: each for key, each in value.items()}
    expected.pop("writeKey", None)
    assert spliced == expected | {"z": 1}


@given(st.dictionaries(KEYS, JSON, max_size=6), SPACING)
def test_members_and_elements_say_where_each_value_stands(
    value: dict[str, Any], separators: tuple[str, str]
) -> None:
    text = json.dumps(value, separators=separators).encode()
    found = {member.key: json.loads(text[member.value_start : member.end]) for member in members(text)}
    assert found == value
    array = json.dumps(list(value.values()), separators=separators).encode()
    assert [json.loads(array[start:end]) for start, end in elements(array)] == list(value.values())
