"""Which letters a command is about."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.selection import Exactly, OfGroup, Selection
from tests.overflow.letters import EVENTS, OTHERS, TIME, a_letter

HOUR = timedelta(hours=1)
LETTERS = {
    "one": a_letter(EVENTS, "one", code="too_large", time=TIME - 2 * HOUR),
    "two": a_letter(EVENTS, "two", code="undeliverable", time=TIME - HOUR),
    "three": a_letter(OTHERS, "three", code="too_large", time=TIME),
    "none": a_letter(None, "none", b"junk", code="overflow_unreadable", time=TIME),
}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["one", "two", "three", "none"]),
        ({"sources": {"src"}}, ["one", "two"]),
        ({"streams": {"others", "missing"}}, ["three"]),
        ({"codes": {"too_large"}}, ["one", "three"]),
        ({"codes": {"too_large"}, "sources": {"src"}}, ["one"]),
        ({"codes": {"overflow_unreadable"}}, ["none"]),
        ({"message_ids": {"two", "three"}}, ["two", "three"]),
        ({"message_ids": {"two"}, "streams": {"others"}}, []),
        ({"since": TIME - HOUR}, ["two", "three", "none"]),
        ({"until": TIME - HOUR}, ["one", "two"]),
        ({"since": TIME - HOUR, "until": TIME - HOUR}, ["two"]),
    ],
)
def test_a_letter_has_to_pass_every_filter(asked: dict[str, Any], found: list[str]) -> None:
    selection = Selection(**asked)
    assert [name for name, letter in LETTERS.items() if selection.fits(letter)] == found


@pytest.mark.parametrize("data", [b"junk", b"[1]", b'{"messageId":1}', b"\xff", b""])
def test_data_that_is_no_event_has_no_message_id(data: bytes) -> None:
    letter: DeadLetter = a_letter(data=data)
    assert Selection().fits(letter)
    assert not Selection(message_ids={"1", "junk", ""}).fits(letter)


def test_a_group_is_of_one_destination_and_one_code_within_its_selection() -> None:
    group = OfGroup(Selection(message_ids={"a", "b"}), EVENTS, "too_large")
    assert group.fits(a_letter(EVENTS, "a"))
    assert not group.fits(a_letter(EVENTS, "c"))
    assert not group.fits(a_letter(EVENTS, "a", code="undeliverable"))
    in_a_role = structs.replace(EVENTS, role_address="arn:aws:iam::111122223333:role/writer")
    assert not group.fits(a_letter(in_a_role, "a"))


def test_one_letter_is_known_by_all_that_it_holds() -> None:
    assert Exactly(a_letter(key="a")).fits(a_letter(key="a"))
    for other in (a_letter(key="b"), a_letter(key="a", data=b"{}"), a_letter(None, "a")):
        assert not Exactly(a_letter(key="a")).fits(other)
