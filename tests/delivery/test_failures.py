"""Failures in a row: what counts as one, and from when on everything waits."""

from headgate.delivery.failures import Failures


def again(failures: Failures, now: float, *, launched: float | None = None, refresh: bool = False) -> int:
    launched = now if launched is None else launched
    return failures.again(refresh=refresh, launched=launched, now=now, spread=1.0)


def test_the_first_failure_blocks_nothing_and_the_next_ones_longer_and_longer() -> None:
    failures = Failures()
    assert again(failures, 10.0) == 1
    assert failures.blocked_until == 0.0
    assert again(failures, 20.0) == 2
    assert failures.blocked_until == 20.1
    assert again(failures, 30.0) == 3
    assert failures.blocked_until == 30.2


def test_one_trouble_that_met_several_requests_counts_once() -> None:
    failures = Failures()
    assert [again(failures, 10.0 + n, launched=9.0) for n in range(3)] == [1, 0, 0]


def test_that_credentials_have_ended_counts_only_when_new_ones_end_too() -> None:
    failures = Failures()
    assert again(failures, 10.0, refresh=True) == 0
    assert again(failures, 11.0, refresh=True) == 1
    assert again(failures, 12.0) == 2


def test_a_success_ends_it() -> None:
    failures = Failures()
    for now in (10.0, 20.0, 30.0):
        again(failures, now)
    failures.ended()
    assert (failures.in_a_row, failures.blocked_until) == (0, 0.0)
    assert again(failures, 40.0) == 1
