"""A steady pace, as far as it can be told without a clock."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.overflow.pace import Pace


@given(
    st.integers(1, 5_000),
    st.lists(st.tuples(st.integers(1, 500), st.floats(0, 5, allow_subnormal=False)), min_size=1, max_size=50),
)
def test_between_two_portions_there_is_time_for_the_first_of_them_however_long_nothing_was_sent(
    per_second: int, portions: list[tuple[int, float]]
) -> None:
    pace = Pace(per_second)
    now = 1_000.0
    sent: list[tuple[float, int]] = []
    for records, idle in portions:
        wait = pace.wait(records, now)
        assert wait >= 0
        sent.append((now + wait, records))
        now += wait + idle
    for (before, records), (after, _) in pairwise(sent):
        assert after - before >= records / per_second - 1e-6


def test_whoever_is_in_time_waits_no_longer_than_the_rate_asks() -> None:
    pace = Pace(100)
    assert [round(pace.wait(10, 0.0), 6) for _ in range(4)] == [0, 0.1, 0.2, 0.3]
    assert pace.wait(10, 7.0) == 0


@pytest.mark.parametrize(
    ("per_second", "portion"), [(1, 1), (9, 1), (25, 2), (1_000, 100), (5_000, 500), (90_000, 500)]
)
def test_a_portion_is_a_tenth_of_a_second_and_one_request_at_most(per_second: int, portion: int) -> None:
    assert Pace(per_second).portion == portion
