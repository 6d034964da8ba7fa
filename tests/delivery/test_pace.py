"""A lane's pace: as fast as its shard takes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.pace import MARGIN, SLOWEST, Pace, cost


def test_what_a_shard_takes_in_a_second_costs_a_second_by_records_or_by_bytes() -> None:
    assert cost(1_000, 10_000) == 1.0
    assert cost(10, 1_000_000) == 1.0
    assert cost(500, 1_500_000) == 1.5


def test_a_lane_that_was_never_throttled_is_not_held_back() -> None:
    pace = Pace()
    pace.accepted(100.0, 1.0)
    assert pace.allowance(1.0) == float("inf")
    assert pace.portion(5.0) == 0.0


def test_the_first_throttle_slows_a_lane_to_a_little_less_than_its_shard_took() -> None:
    pace = Pace()
    pace.accepted(2.0, 10.0)
    pace.throttled(0.9, 10.5)
    assert pace.rate == pytest.approx(2.0 * MARGIN)


def test_a_further_throttle_takes_away_the_share_that_was_refused_and_half_at_most() -> None:
    pace = Pace()
    pace.throttled(0.5, 10.0)
    assert pace.rate == pytest.approx(MARGIN)
    pace.throttled(0.2, 10.5)
    assert pace.rate == pytest.approx(MARGIN), "the same trouble still"
    pace.throttled(0.2, 11.0)
    assert pace.rate == pytest.approx(MARGIN * 0.8 * MARGIN, rel=0.02)
    before = pace.rate
    pace.throttled(1.0, 12.0)
    assert pace.rate == pytest.approx(before * 0.5 * MARGIN, rel=0.05)


def test_what_went_through_in_the_last_second_counts_more_than_a_small_requests_share() -> None:
    pace = Pace()
    pace.throttled(0.5, 10.0)
    for tenth in range(1, 21):
        pace.accepted(0.09, 10.0 + tenth / 10)
    pace.throttled(0.5, 12.05)
    assert pace.rate == pytest.approx(0.9 * MARGIN, rel=0.1)


def test_a_paced_lane_saves_up_for_a_portion_and_a_large_record_leaves_a_debt() -> None:
    pace = Pace()
    pace.throttled(0.5, 10.0)
    assert pace.allowance(10.0) < 0
    portion = pace.portion(waiting=5.0)
    assert 0 < portion < 0.06
    wait = pace.seconds_until(portion)
    assert pace.allowance(10.0 + wait) == pytest.approx(portion, rel=0.12)
    pace.spend(1.0)
    assert pace.seconds_until(portion) > 0.9


def test_a_lane_speeds_up_gently_then_fast_until_it_is_not_paced_any_more() -> None:
    pace = Pace()
    pace.throttled(0.5, 0.0)
    rates = []
    now = 0.0
    while pace.rate is not None:
        rates.append(pace.rate)
        now += 1.0
        pace.allowance(now)
        assert now < 120
    assert rates == sorted(rates)
    assert rates[1] / rates[0] < 1.03
    assert rates[-1] - rates[-2] > 10 * (rates[1] - rates[0])


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1), st.booleans()), max_size=60))
def test_whatever_happens_a_lane_is_never_slower_than_the_slowest(
    steps: list[tuple[float, float, bool]],
) -> None:
    pace, now = Pace(), 0.0
    for seconds, share, throttled in steps:
        now += seconds
        if throttled:
            pace.throttled(share, now)
        pace.accepted(share, now)
        pace.spend(min(share, max(pace.allowance(now), 0.0)))
        assert pace.rate is None or pace.rate >= SLOWEST
        assert pace.seconds_until(pace.portion(1.0)) < 10
