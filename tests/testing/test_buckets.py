"""What a shard takes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.testing.buckets import UNLIMITED, Budget, Limits


def taken(budget: Budget, size: int, now: float, tries: int) -> int:
    return sum(budget.take(size, now) for _ in range(tries))


def test_a_shard_takes_one_second_s_worth_at_once_and_then_its_rate() -> None:
    budget = Budget(Limits(), 100.0)
    assert taken(budget, 100, 100.0, 2_000) == 1_000
    assert taken(budget, 100, 100.5, 2_000) == 500
    assert taken(budget, 100, 110.0, 2_000) == 1_000, "a second's worth is all that gathers"


def test_bytes_throttle_before_records_do() -> None:
    budget = Budget(Limits(), 0.0)
    assert taken(budget, 10_000, 0.0, 1_000) == 100


def test_what_bytes_refuse_costs_no_record() -> None:
    budget = Budget(Limits(bytes_per_second=100, records_per_second=2), 0.0)
    assert [budget.take(size, 0.0) for size in (90, 90, 10, 0)] == [True, False, True, False]


def test_a_record_larger_than_the_burst_passes_once_the_bucket_is_full() -> None:
    budget = Budget(Limits(), 0.0)
    assert budget.take(3_000_000, 0.0)
    assert not budget.take(1, 1.9)
    assert budget.take(1, 2.1)


def test_without_limits_everything_passes() -> None:
    assert taken(Budget(UNLIMITED, 0.0), 10_000_000, 0.0, 5_000) == 5_000


@pytest.mark.parametrize("burst", [0.1, 3.0])
def test_the_burst_can_be_set(burst: float) -> None:
    budget = Budget(Limits(bytes_per_second=None, burst_seconds=burst), 0.0)
    assert taken(budget, 1, 0.0, 5_000) == 1_000 * burst


@pytest.mark.parametrize("name", ["bytes_per_second", "records_per_second", "burst_seconds"])
def test_a_limit_is_more_than_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Limits(**{name: 0})


@given(
    st.floats(1, 1e4),
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 3_000)), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_and_one_burst(rate: float, offers: list[tuple[float, int]]) -> None:
    budget = Budget(Limits(bytes_per_second=rate, records_per_second=None), 0.0)
    now, accepted, largest = 0.0, 0, 0
    for pause, size in offers:
        now += pause
        largest = max(largest, size)
        accepted += size if budget.take(size, now) else 0
    # A record larger than the burst may overdraw the bucket, once.
    assert accepted <= (now + 1) * rate + largest + 1e-6


def test_a_shard_answers_so_many_reads_a_second_whoever_asks() -> None:
    budget = Budget(Limits(reads_per_second=5), 0.0)
    assert sum(budget.take_read(0.0) for _ in range(9)) == 5
    assert sum(budget.take_read(0.4) for _ in range(9)) == 2


def test_an_answer_of_many_bytes_makes_readers_wait_for_them() -> None:
    budget = Budget(Limits(read_bytes_per_second=2_000_000), 0.0)
    assert budget.take_read(0.0)
    budget.give_out(10_000_000)
    assert not budget.take_read(3.9)
    assert budget.take_read(4.1)


def test_readers_are_not_limited_unless_that_is_asked_for() -> None:
    budget = Budget(Limits(), 0.0)
    budget.give_out(10**9)
    assert all(budget.take_read(0.0) for _ in range(1000))
