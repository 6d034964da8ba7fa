import json
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.spec.event import CALLS
from headgate.spec.partition_key import MESSAGE_ID, PATH, USER, partition_key
from headgate.spec.prepare import Event
from tests.spec.checked import readable
from tests.spec.test_prepare import prepared


def event_of(data: str) -> Event:
    return Event(index=0, data=data.encode(), message_id="m", user="the-user", call="track")


def key(path: str, data: str) -> str:
    return partition_key(path)(event_of(data))


def test_the_partition_key_is_the_user_or_the_message() -> None:
    assert key(USER, "{}") == "the-user"
    assert key(MESSAGE_ID, "{}") == "m"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"text"', "text"),
        (r'"\u00fc\n\"\ud83d\ude00"', 'ü\n"\U0001f600'),
        (r'"a\ud83d"', "a\ufffd"),
        ('" "', " "),
        ("0", "0"),
        ("-0", "-0"),
        ("1.0", "1.0"),
        ("1.50", "1.50"),
        ("1e3", "1e3"),
        ("1E+03", "1E+03"),
        ("12345678901234567890123456789", "12345678901234567890123456789"),
        ("9" * 5_000, "9" * 5_000),
        ("1e999", "1e999"),
        ("true", "true"),
        ("false", "false"),
        ('""', "the-user"),
        ("null", "the-user"),
        ("{}", "the-user"),
        ('{"a":"b"}', "the-user"),
        ("[]", "the-user"),
        ('["a"]', "the-user"),
    ],
)
def test_a_path_leads_to_a_string_a_number_or_a_boolean_and_else_the_user_is_the_key(
    value: str, expected: str
) -> None:
    for data in ('{"x":@}', '{ "y" : [1], "x" : @ , "z":{} }', r'{"\u0078":@}', r'{"e":"\ud83d","x":@}'):
        assert key("x", data.replace("@", value)) == expected
    beside = '{"x":"other","context":{"z":{"x":1},"x":@},"properties":{"x":2}}'
    assert key("context.x", beside.replace("@", value)) == expected
    assert key("a.b.c.d", '{"a":{"b":{"c":{"d": @\n}}}}'.replace("@", value)) == expected


@pytest.mark.parametrize(
    "context", ["null", '"text"', "5", "true", "[]", '[{"x":"a"}]', "{}", '{"X":"a"}', '{"x ":1}']
)
def test_a_path_that_leads_through_no_object_leads_to_nothing(context: str) -> None:
    assert key("context.x", f'{{"context":{context},"context.x":"dotted"}}') == "the-user"
    assert key("context.x.y", f'{{"context":{context}}}') == "the-user"
    assert key("context.x", "{}") == "the-user"


def test_of_two_members_of_one_key_the_last_counts_whole() -> None:
    assert key("a.b", '{"a":{"b":1},"a":{"b":2,"b":3}}') == "3"
    assert key("a.b", '{"a":{"b":1},"a":{}}') == "the-user"
    assert key("a.b", '{"a":{"b":1},"a":null}') == "the-user"
    assert key("a.b", '{"a":5,"a":{"b":null,"b":true}}') == "true"


def test_a_path_looks_at_the_event_as_it_goes_into_the_stream() -> None:
    sent = b'{"type":"page","userId":"u","timestamp":"2026-01-02T03:04:05Z"}'
    text = b'{"context":{"groupId":"g"},"batch":[%b]}' % sent
    [event] = prepared(text, client_side=True).events
    done = json.loads(event.data)
    for path, value in {
        "context.groupId": "g",
        "context.ip": done["context"]["ip"],
        "messageId": done["messageId"],
        "timestamp": done["timestamp"],
        "originalTimestamp": "2026-01-02T03:04:05Z",
        "projectId": "src",
        "version": "2",
        "userId": "u",
        "anonymousId": "u",
    }.items():
        assert partition_key(path)(event) == value


def test_an_event_knows_its_call_by_its_path_or_by_its_type() -> None:
    whole = {"userId": "u", "event": "e", "groupId": "g", "previousId": "p"}
    for call in CALLS:
        for sent in (whole, whole | {"type": "track"}, whole | {"type": 5}):
            [event] = prepared(json.dumps(sent).encode(), call).events
            assert event.call == json.loads(event.data)["type"] == call
    batch = [whole | {"type": call} for call in sorted(CALLS)]
    assert [each.call for each in prepared(json.dumps({"batch": batch}).encode()).events] == sorted(CALLS)


class Number(NamedTuple):
    text: str


class Object(list[tuple[str, Any]]): ...


def oracle(path: str, data: str) -> str:
    """The key by Python's decoder and a walk, without a look at how it is found."""
    value = json.loads(data, parse_int=Number, parse_float=Number, object_pairs_hook=Object)
    for step in path.split("."):
        value = dict(value).get(step) if isinstance(value, Object) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    return readable(value) if isinstance(value, str) and value else "the-user"


STEPS = st.sampled_from(["a", "b", "ü", "a b", "$"])
SPACES = st.sampled_from(["", "", " ", "\t\r\n "])
TEXTS = ['""', '"text"', '"ü\\n"', r'"\ud83d"', r'"\udc00\ud800x"', '"]}"', '"\\\\"', r'"\"a\":1"']
NUMBERS = ["0", "-0", "1.0", "-1.50", "1e3", "2E-7", "1e999", "12345678901234567890123"]
OTHERS = ["null", "true", "false", "{}", "[]", '{"a":{"a":1,"b":"x"}}', '["a",{"b":1}]']
VALUES = st.sampled_from([*TEXTS, *NUMBERS, *OTHERS])


def members(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A member of this key, now and then with its first letter as an escape."""
    keys = st.sampled_from([f'"{name}"', f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"'])
    return st.tuples(SPACES, keys, SPACES, st.just(":"), SPACES, values, SPACES).map("".join)


def objects(path: list[str]) -> st.SearchStrategy[str]:
    """An object with members that lead along a path, some of them twice, and some of any other kind."""
    others = STEPS.flatmap(lambda name: members(name, VALUES))
    further = objects(path[1:]) if path[1:] else VALUES
    step = members(path[0], further | further | further | VALUES)
    shuffled = st.tuples(st.lists(step, min_size=1, max_size=2), st.lists(others, max_size=2)).flatmap(
        lambda parts: st.permutations([*parts[0], *parts[1]])
    )
    return shuffled.map(lambda each: f"{{{','.join(each)}}}")


PATHS = st.lists(STEPS, min_size=1, max_size=3)
CASES = PATHS.flatmap(lambda path: st.tuples(st.just(".".join(path)), objects(path)))


@settings(deadline=None, max_examples=200)
@given(CASES)
@example(("a.b", r'{"a":{"b":"\ud83d"},"a":{"\u0062":1.0}}'))
@example(("a.b", r'{"a":"\ud83d"}'))
def test_a_path_leads_where_a_walk_leads(case: tuple[str, str]) -> None:
    path, data = case
    assert key(path, data) == oracle(path, data)


@pytest.mark.parametrize(
    "path",
    ["a", "a.b", "properties.Order ID", "traits.größe", "context.traits.$os", "_metadata.x-y:z", "0.1"],
)
def test_a_path_is_keys_with_dots_between_them(path: str) -> None:
    assert PATH.fullmatch(path)
    nested = json.dumps("found")
    for step in reversed(path.split(".")):
        nested = json.dumps({step: json.loads(nested)})
    assert key(path, nested) == "found"


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "a.", ".a", "a..b", " a", "a ", "a .b", "a. b", "a\u00a0", "\n", "a\nb", "a\x00", "a\x7f"),
        *("$.a", "a[0]", "a['b']", 'a"b', "a\\.b", "a|b"),
        *("userId||anonymousId", "userId || anonymousId ", "messageId || userId"),
    ],
)
def test_what_would_lead_nowhere_is_no_path(path: str) -> None:
    assert PATH.fullmatch(path) is None


def test_every_other_character_may_be_in_a_key() -> None:
    for character in map(chr, range(0x300)):
        if not re.match(r"[\x00-\x1f\x7f\s.\[\]|\"\\]", character):
            assert PATH.fullmatch(character)
            assert key(f"a.{character}", json.dumps({"a": {character: 7}})) == "7"
