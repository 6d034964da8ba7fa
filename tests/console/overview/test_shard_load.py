"""The load per shard is by arrival, and what was not read is no zero."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.overview.history import HISTORY_SECONDS
from headgate.console.overview.shard_load import STEP_SECONDS, StreamLoad
from headgate.reading.reader import Batch
from headgate.reading.record import Record

BEGIN = 1_000_000.0
numbers = itertools.count(1)


def records(at: float, count: int, size: int = 100) -> list[Record]:
    return [Record(str(next(numbers)), "k", at, b"x" * (size - 1)) for _ in range(count)]


def read(
    load: StreamLoad, now: float, new: list[Record] | None = None, behind: int = 0, of: str = "s-1"
) -> None:
    load.take(Batch(of, new or [], behind), now)


def steady(load: StreamLoad, seconds: int, begin: float = BEGIN, each: int = 10, of: str = "s-1") -> float:
    """Read as much each second; return when."""
    for second in range(seconds):
        read(load, begin + second + 1, records(begin + second + 0.5, each), of=of)
    return begin + seconds


def test_what_arrives_each_second_is_the_rate() -> None:
    load = StreamLoad()
    now = steady(load, 30)
    [shard] = load.loads(now)
    assert (shard.shard_id, shard.records_per_second, shard.bytes_per_second) == ("s-1", 10, 1000)
    assert (shard.use.share, shard.use.bound) == (0.01, "records")
    assert shard.peak == shard.use


def test_the_busiest_step_is_kept_in_mind() -> None:
    load = StreamLoad()
    now = steady(load, 20)
    now = steady(load, 10, begin=now, each=500)
    now = steady(load, 20, begin=now)
    [shard] = load.loads(now)
    assert (shard.use.share, shard.peak.share) == (0.01, 0.5)


def test_reading_nothing_tells_that_there_was_nothing() -> None:
    load = StreamLoad()
    now = steady(load, 10)
    for second in range(1, 16):
        read(load, now + second)
    [shard] = load.loads(now + 15)
    assert shard.records_per_second == 0
    times, [line] = load.lines(now + 15, 8)
    assert line.records_per_second[0] == 10
    assert line.records_per_second[-1] == 0
    assert len(times) == len(line.records_per_second) == len(line.bytes_per_second)


def test_what_was_not_read_for_a_while_is_a_gap() -> None:
    load = StreamLoad()
    now = steady(load, 20)
    now = steady(load, 20, begin=now + 60)
    times, [line] = load.lines(now, 8)
    assert None in line.records_per_second
    assert set(line.records_per_second) == {10, None}
    assert times == [times[0] + STEP_SECONDS * n for n in range(len(times))]


def test_a_shard_that_is_read_late_is_known_as_far_as_it_was_read() -> None:
    load = StreamLoad()
    for second in range(30):
        now = BEGIN + second + 1
        read(load, now + 20, records(now - 0.5, 10), behind=20_000)
    times, [line] = load.lines(now + 20, 8)
    assert times[-1] <= now
    assert set(line.records_per_second) == {10}


def test_what_was_not_read_lately_is_not_now() -> None:
    load = StreamLoad()
    now = steady(load, 20)
    assert load.loads(now + 60) == []


def test_the_busiest_shards_are_drawn_in_the_order_of_their_names() -> None:
    load = StreamLoad()
    for number, each in enumerate((1, 9, 5, 7)):
        now = steady(load, 20, each=each, of=f"s-{number}")
    _, lines = load.lines(now, 2)
    assert [line.shard_id for line in lines] == ["s-1", "s-3"]
    assert [shard.shard_id for shard in load.loads(now)] == ["s-0", "s-1", "s-2", "s-3"]


def test_nothing_read_is_nothing_shown() -> None:
    assert StreamLoad().lines(BEGIN, 8) == ([], [])
    assert StreamLoad().loads(BEGIN) == []


def test_a_shard_that_ended_is_forgotten() -> None:
    load = StreamLoad()
    now = steady(load, 20, of="old")
    assert load.lines(now + HISTORY_SECONDS + 30, 8) == ([], [])
    assert load._shards == {}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.floats(0, 30), st.integers(0, 3), st.sampled_from(["s-1", "s-2"])),
        max_size=30,
    )
)
def test_no_more_is_shown_than_came_and_no_more_kept_than_is_shown(
    reads: list[tuple[float, float, int, str]],
) -> None:
    load, now, came = StreamLoad(), BEGIN, 0
    for elapsed, behind, count, shard_id in reads:
        now += elapsed
        came += count
        read(load, now, records(now - behind, count), behind=int(behind * 1000), of=shard_id)
    times, lines = load.lines(now, 8)
    shown = sum(value or 0 for line in lines for value in line.records_per_second) * STEP_SECONDS
    assert shown <= came + 1e-6
    assert len(times) <= HISTORY_SECONDS / STEP_SECONDS + 1
    assert all(value is None or value >= 0 for line in lines for value in line.bytes_per_second)
    assert all(at <= now for at in times)


@pytest.mark.parametrize("hours", [1, 3])
def test_what_is_kept_is_bounded(hours: int) -> None:
    load = StreamLoad()
    steady(load, hours * 3600, each=0)
    assert sum(len(shard.steps) for shard in load._shards.values()) <= HISTORY_SECONDS / STEP_SECONDS + 1
