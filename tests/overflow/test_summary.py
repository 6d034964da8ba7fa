"""Letters by destination and code."""

from datetime import timedelta

from headgate.overflow.summary import Summary
from tests.overflow.letters import EVENTS, OTHERS, TIME, a_letter

HOUR = timedelta(hours=1)


def test_each_destination_and_code_is_one_group_and_the_largest_comes_first() -> None:
    summary = Summary()
    for letter in (
        a_letter(OTHERS, "a", b"123", message="the older one", time=TIME - HOUR),
        a_letter(EVENTS, "é", b"1", code="undeliverable"),
        a_letter(OTHERS, "b", b"12", message="the newest one", time=TIME),
        a_letter(OTHERS, "c", b"1", message="the oldest one", time=TIME - 2 * HOUR),
        a_letter(OTHERS, "d", b"1234", code="undeliverable"),
        a_letter(None, "", b"junk", code="unreadable"),
    ):
        summary.add(letter)
    largest, *others = summary.groups()
    assert (largest.origin, largest.code, largest.records, largest.bytes) == (OTHERS, "too_large", 3, 9)
    assert (largest.oldest, largest.newest) == (TIME - 2 * HOUR, TIME)
    assert largest.message == "the newest one"
    assert [(each.origin, each.code, each.records, each.bytes) for each in others] == [
        (EVENTS, "undeliverable", 1, 3),
        (OTHERS, "undeliverable", 1, 5),
        (None, "unreadable", 1, 4),
    ]
    assert summary.by_origin() == {OTHERS: (4, 14), EVENTS: (1, 3), None: (1, 4)}


def test_nothing_is_no_group() -> None:
    assert (Summary().groups(), Summary().by_origin()) == ([], {})
