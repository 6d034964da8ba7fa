"""What is told of what was read."""

import json

import pytest

from headgate.reading.rates import Interval, Tally, figures, joined, quantiles
from headgate.reading.record import Record

NOW = 1_772_600_400.0  # 2026-03-04T05:00:00Z


def event(received_at: object = "2026-03-04T04:59:59.500Z", key: str = "u1") -> Record:
    return Record("1", key, NOW, json.dumps({"receivedAt": received_at}).encode())


def test_bytes_are_those_that_count_for_a_shard_s_limit() -> None:
    tally = Tally()
    tally.add([Record("1", "key", NOW, b"12345"), Record("2", "ü", NOW, b"")], 0, NOW)
    assert (tally.records, tally.bytes) == (2, 10)


def test_the_delay_is_from_received_at_to_being_read() -> None:
    tally = Tally()
    tally.add([event(), event("2026-03-04T05:59:50+01:00")], 0, NOW)
    assert tally.delays == [0.5, 10.0]


@pytest.mark.parametrize("received_at", [None, 5, "soon", ""])
def test_an_event_that_does_not_say_when_it_was_received_has_no_delay(received_at: object) -> None:
    tally = Tally()
    tally.add([event(received_at), Record("1", "key", NOW, b"\xff")], 0, NOW)
    assert tally.delays == []
    assert "delaySeconds" not in figures(tally, 1.0)


def test_intervals_that_followed_each_other_are_joined() -> None:
    first, second = Interval(10.0), Interval(11.0)
    first.add("a", [event()], 500, NOW)
    first.end(11.0)
    second.add("a", [event(), event()], 0, NOW)
    second.add("b", [event()], 9_000, NOW)
    second.end(13.0)
    whole = joined([first, second])
    assert whole.seconds == 3.0
    assert {shard_id: each.records for shard_id, each in whole.shards.items()} == {"a": 3, "b": 1}
    assert whole.shards["a"].millis_behind == 0
    assert first.shards["a"].records == 1, "what is joined stays as it was"


def test_all_shards_are_as_far_behind_as_the_last_of_them() -> None:
    interval = Interval(10.0)
    interval.add("a", [event()], 9_000, NOW)
    interval.add("b", [], None, NOW)
    interval.add("c", [event(), event()], 0, NOW)
    total = interval.all_shards()
    assert (total.records, total.millis_behind) == (3, 9_000)


def test_quantiles_are_delays_that_were_measured() -> None:
    assert quantiles([]) is None
    assert quantiles([3.0]) == (3.0, 3.0, 3.0)
    assert quantiles(float(number) for number in range(101)) == (50.0, 99.0, 100.0)


def test_figures_are_per_second() -> None:
    tally = Tally()
    tally.add([event()] * 4, 1_500, NOW)
    assert figures(tally, 2.0) == {
        "records": 4,
        "bytes": 4 * event().size,
        "recordsPerSecond": 2.0,
        "bytesPerSecond": 2.0 * event().size,
        "delaySeconds": {"median": 0.5, "p99": 0.5, "max": 0.5},
        "millisBehind": 1_500,
    }
