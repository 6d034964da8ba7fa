"""The history is bounded and in order, and a missed second is a gap."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.overview.figures import Point
from headgate.console.overview.history import HISTORY_SECONDS, History


def times(points: list[Point]) -> list[float]:
    return [point.at for point in points]


def known(at: float) -> Point:
    return Point(at=at, events=1.0)


def test_whoever_asks_again_is_given_what_is_new() -> None:
    history = History(1.0)
    history.put([known(1)])
    history.put([known(2)])
    number, points = history.after(0)
    assert times(points) == [1, 2]
    assert history.after(number) == (number, [])
    history.put([known(3)])
    assert times(history.after(number)[1]) == [3]
    assert times(history.after(0)[1]) == [1, 2, 3]


def test_a_missed_second_is_a_gap_and_no_zero() -> None:
    history = History(1.0)
    for at in (1, 2, 9):
        history.put([known(at)])
    assert [(point.at, point.events) for point in history.after(0)[1]] == [(1, 1), (2, 1), (3, None), (9, 1)]


def test_what_is_told_again_takes_the_place_of_what_was_told() -> None:
    history = History(60.0)
    history.put([known(60), known(120), Point(at=180)])
    number, _ = history.after(0)
    history.put([known(120), known(180), known(240)])
    _, points = history.after(number)
    assert times(points) == [120, 180, 240]
    assert [point.events for point in history.after(0)[1]] == [1, 1, 1, 1]


def test_a_clock_that_was_set_back_leaves_no_future_behind() -> None:
    history = History(1.0)
    for at in (1000, 1001, 500, 501):
        history.put([known(at)])
    assert times(history.after(0)[1]) == [500, 501]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.floats(0.5, 3), st.floats(-2000, 5000)), max_size=60),
    st.sampled_from([1.0, 60.0]),
    st.integers(1, 40),
)
def test_the_history_is_bounded_and_in_order_and_pieces_make_the_whole(
    steps: list[float], interval: float, most: int
) -> None:
    history, at, number = History(interval), 10_000.0, 0
    seen: list[Point] = []
    for step in steps:
        at += step * interval
        history.put([known(at + n * interval) for n in range(most)])
        whole = times(history.after(0)[1])
        assert whole == sorted(set(whole))
        assert whole[-1] - whole[0] <= HISTORY_SECONDS
        assert len(whole) <= HISTORY_SECONDS / interval + 1
        # A page puts what is new in place of all from the first one's time on, as overview.js does.
        number, new = history.after(number)
        seen = [point for point in seen if point.at < new[0].at] + new
        assert [point for point in seen if point.at >= whole[0]] == history.after(0)[1]
