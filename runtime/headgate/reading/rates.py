"""How much is read, and how late: of each shard and of all. Pure: the clock's time is passed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from headgate.reading.filters import read_members
from headgate.reading.record import Record
from headgate.spec.timestamps import parse


@dataclass(slots=True)
class Tally:
    """Records that were read."""

    records: int = 0
    bytes: int = 0
    """Of data and partition keys."""
    delays: list[float] = field(default_factory=list)
    """Seconds from the `receivedAt` of each event that has one to its being read."""
    millis_behind: int | None = None
    """How far behind its tip a shard is read, as Kinesis last said."""

    def add(self, records: Sequence[Record], millis_behind: int | None, now: float) -> None:
        """Count records that are read at an instant, in seconds since 1970."""
        self.records += len(records)
        self.bytes += sum(record.size for record in records)
        self.millis_behind = millis_behind
        for record in records:
            received_at = read_members(record.data).received_at
            if received_at is not None and (moment := parse(received_at)) is not None:
                self.delays.append(now - moment.timestamp())

    def join(self, later: Self) -> None:
        """Count what another counted, which came later."""
        self.records += later.records
        self.bytes += later.bytes
        self.delays += later.delays
        self.millis_behind = later.millis_behind


@dataclass(slots=True)
class Interval:
    """What was read in some seconds, by shard."""

    began: float
    seconds: float = 0.0
    shards: dict[str, Tally] = field(default_factory=dict)

    def add(self, shard_id: str, records: Sequence[Record], millis_behind: int | None, now: float) -> None:
        """Count records of a shard."""
        self.shards.setdefault(shard_id, Tally()).add(records, millis_behind, now)

    def end(self, now: float) -> None:
        """Note when it is over."""
        self.seconds = max(now - self.began, 1e-3)

    def all_shards(self) -> Tally:
        """Return the sum of all shards; it is as far behind as the last of them."""
        total = Tally()
        for tally in self.shards.values():
            total.join(tally)
        behind = [each.millis_behind for each in self.shards.values() if each.millis_behind is not None]
        total.millis_behind = max(behind, default=None)
        return total


def joined(intervals: Iterable[Interval]) -> Interval:
    """Return intervals that followed each other as one; at least one is needed."""
    first, *others = intervals
    whole = Interval(first.began, first.seconds)
    for interval in (first, *others):
        for shard_id, tally in interval.shards.items():
            whole.shards.setdefault(shard_id, Tally()).join(tally)
    whole.seconds += sum(interval.seconds for interval in others)
    return whole


def quantiles(delays: Iterable[float]) -> tuple[float, float, float] | None:
    """Return the median, the 99th percentile and the largest of some delays; None where there are none."""
    ordered = sorted(delays)
    if not ordered:
        return None
    last = len(ordered) - 1
    return ordered[last // 2], ordered[last * 99 // 100], ordered[last]


def figures(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return a tally as JSON has it: what there is no figure for is left out."""
    shown: dict[str, Any] = {
        "records": tally.records,
        "bytes": tally.bytes,
        "recordsPerSecond": round(tally.records / seconds, 1),
        "bytesPerSecond": round(tally.bytes / seconds, 1),
    }
    if (delays := quantiles(tally.delays)) is not None:
        names = ("median", "p99", "max")
        shown["delaySeconds"] = {name: round(delay, 3) for name, delay in zip(names, delays, strict=True)}
    if tally.millis_behind is not None:
        shown["millisBehind"] = tally.millis_behind
    return shown
