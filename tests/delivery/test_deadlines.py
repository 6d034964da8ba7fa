"""Deadlines: none falls early, none is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.deadlines import Deadlines
from headgate.delivery.submission import Submission


def at(arrived: float) -> Submission:
    return Submission(lambda _: None, arrived)


def test_a_request_that_was_answered_is_forgotten() -> None:
    deadlines = Deadlines(8.0)
    answered, open_ = at(0.0), at(0.0)
    for submission in (answered, open_):
        deadlines[submission] = None
    del deadlines[answered]
    assert deadlines.passed(9.0) == [open_]
    assert len(deadlines) == 1


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted), st.floats(0, 200))
def test_all_whose_time_is_over_are_told_and_nobody_before(arrivals: list[float], now: float) -> None:
    deadlines = Deadlines(8.0)
    submissions = [at(arrived) for arrived in arrivals]
    for submission in submissions:
        deadlines[submission] = None
    assert deadlines.passed(now) == [each for each in submissions if each.arrived + 8.0 <= now]
