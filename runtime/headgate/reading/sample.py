"""What was read of a shard, to judge its load: how much, in which second, of which partition keys. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from headgate.reading.record import Record
from headgate.shards import SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND

MOST_KEYS = 10_000
"""Partition keys of a shard that are kept: the busiest. Hot ones are seen again and again, so they stay."""


@dataclass(slots=True)
class Amount:
    """Records, and the bytes of their data and partition keys."""

    records: int = 0
    bytes: int = 0

    @property
    def weight(self) -> int:
        """What it takes of a shard, in bytes: a record at least as much as its limit in records is worth."""
        return max(self.records * SHARD_BYTES_PER_SECOND // SHARD_RECORDS_PER_SECOND, self.bytes)

    def add(self, size: int) -> None:
        """Count one record."""
        self.records += 1
        self.bytes += size

    def join(self, other: "Amount") -> None:
        """Count what another counted."""
        self.records += other.records
        self.bytes += other.bytes


@dataclass(slots=True)
class Sample:
    """Records of one shard that arrived from one instant to another.

    Args:
        begin: seconds since 1970.
        end: the same; what arrived at that instant or later is not counted.
    """

    begin: float
    end: float
    total: Amount = field(default_factory=Amount)
    seconds: defaultdict[int, Amount] = field(default_factory=lambda: defaultdict(Amount))
    """By the second in which they arrived."""
    keys: defaultdict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    """By partition key; those that were rare among very many are left out."""

    def add(self, records: Iterable[Record]) -> None:
        """Count records."""
        for record in records:
            arrival = record.approximate_arrival_timestamp
            if not self.begin <= arrival < self.end:
                continue
            size = record.size
            self.total.add(size)
            self.seconds[int(arrival)].add(size)
            self.keys[record.partition_key].add(size)
        if len(self.keys) >= 2 * MOST_KEYS:
            busiest = heapq.nlargest(MOST_KEYS, self.keys.items(), key=lambda each: each[1].weight)
            self.keys = defaultdict(Amount, busiest)
