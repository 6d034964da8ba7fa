"""Amounts as a person reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.overview import amounts


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (amounts.number(None), "\N{EN DASH}"),
        (amounts.number(0), "0"),
        (amounts.number(0.004), "under 0.1"),
        (amounts.number(2.04), "2"),
        (amounts.number(2.5), "2.5"),
        (amounts.number(9.97), "10"),
        (amounts.number(12345.6), "12,346"),
        (amounts.size(999), "999 B"),
        (amounts.size(33128), "33 kB"),
        (amounts.size(1_000_000), "1 MB"),
        (amounts.size(4.2e12), "4,200 GB"),
        (amounts.share(1), "100 %"),
        (amounts.share(0.99999), "over 99.9 %"),
        (amounts.share(0.975), "97.5 %"),
        (amounts.share(0.00001), "under 0.1 %"),
        (amounts.share(0), "0 %"),
        (amounts.millis(21.4), "21 ms"),
        (amounts.millis(12_000), "12.0 s"),
        (amounts.duration(0), "0 s"),
        (amounts.duration(59.6), "1 min"),
        (amounts.duration(75), "1 min 15 s"),
        (amounts.duration(7380), "2 h 3 min"),
        (amounts.duration(90_000), "1 d 1 h"),
    ],
)
def test_they_are_short_and_say_their_unit(shown: str, expected: str) -> None:
    assert shown == expected


@settings(deadline=None)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_what_is_neither_nothing_nor_all_never_reads_so(share: float) -> None:
    assert amounts.share(share) not in ("0 %", "100 %")


@settings(deadline=None)
@given(st.floats(0, 1e15))
def test_any_amount_can_be_shown(value: float) -> None:
    for show in (amounts.number, amounts.size, amounts.millis, amounts.duration):
        assert show(value)
