"""Filters, beside what Python's own JSON finds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.reading.filters import Members, filter_by, read_members
from headgate.reading.record import Record

KEYS = {
    "type": "type",
    "event": "event",
    "userId": "user_id",
    "messageId": "message_id",
    "projectId": "project_id",
}


def record(data: bytes) -> Record:
    return Record("1", "key", 0.0, data)


def event(**members: object) -> Record:
    return record(json.dumps(members).encode())


def test_values_of_one_kind_are_alternatives_and_kinds_are_demands() -> None:
    page, order, other = (
        event(type="page", userId="u1"),
        event(type="track", event="Order", userId="u1"),
        event(type="track", event="Order", userId="u2"),
    )
    assert filter_by({"type": ["page", "track"]})([page, order, other]) == [page, order, other]
    assert filter_by({"type": ["track"], "user_id": ["u1", "u3"]})([page, order, other]) == [order]
    assert filter_by({"type": ["page"], "event": ["Order"]})([page, order, other]) == []


def test_without_a_filter_everything_passes_even_what_is_no_event() -> None:
    records = [record(b"\xff"), event(type="page")]
    assert filter_by({"type": [], "event": ()})(records) == records


def test_a_value_has_to_be_equal_whole_and_of_the_event_itself() -> None:
    fits = filter_by({"user_id": ["u1"]})
    assert fits([event(userId="u12"), event(userId="U1"), event(properties={"userId": "u1"})]) == []


@pytest.mark.parametrize(
    "data",
    [
        rb'{"userId":"\u00fc\/1"}',
        '{"userId": "ü/1"}'.encode(),
        b'{"a":{"b":[1e400,"\\ud800"]},"userId":"\\u00fc/1"}',
        '{"type":5,"userId":"ü/1"}'.encode(),
        '{"userId":"someone","userId":"ü/1"}'.encode(),
    ],
)
def test_however_json_writes_it(data: bytes) -> None:
    assert filter_by({"user_id": ["ü/1"]})([record(data)]) == [record(data)]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"hello", b"[]", b'"userId"', b'{"userId":5}', b'{"userId":null}', b'{"a":NaN}']
)
def test_what_has_no_such_member_as_a_text_never_fits(data: bytes) -> None:
    assert read_members(data) == Members()


def test_a_text_nested_too_deeply_for_anybody_is_no_event() -> None:
    assert read_members(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b',"type":"page"}') == Members()


texts = st.sampled_from(["track", "u1", "ü", 'a"b', "a/b", "\ud800", ""])
values: Any = texts | st.none() | st.integers() | st.lists(texts)


@given(
    st.lists(st.dictionaries(st.sampled_from([*KEYS, "traits"]), values), max_size=6),
    st.dictionaries(st.sampled_from([*KEYS]), st.lists(texts.filter(str.isascii), max_size=3)),
    st.booleans(),
)
def test_it_picks_what_python_s_own_json_would(
    events: list[dict[str, Any]], wanted: dict[str, list[str]], escaped: bool
) -> None:
    records = [record(json.dumps(each, ensure_ascii=escaped).encode(errors="replace")) for each in events]
    expected = [
        each
        for each in records
        if all(json.loads(each.data).get(key) in found for key, found in wanted.items() if found)
    ]
    assert filter_by({KEYS[key]: found for key, found in wanted.items()})(records) == expected
