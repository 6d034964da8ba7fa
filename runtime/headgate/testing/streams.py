"""Streams and their shards: who owns which hash keys, and how shards split and merge."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import md5

from headgate.testing.buckets import Budget, Limits
from headgate.testing.ledger import AcceptedRecord
from headgate.testing.refusals import Refusal

HASH_KEYS = 2**128
"""How many hash keys there are: MD5 has 128 bits."""
MAX_RECORD_KIB = 10_240
DEFAULT_MAX_RECORD_KIB = 1_024

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")


def hash_key(partition_key: str) -> int:
    """Return the hash key of a partition key."""
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


@dataclass(slots=True, eq=False)
class Shard:
    """A range of hash keys, both ends included, and what was accepted into it."""

    index: int
    start: int
    end: int
    opened_at: float
    budget: Budget
    parent: "Shard | None" = None
    adjacent_parent: "Shard | None" = None
    closed_at: float | None = None
    accepted: int = 0
    records: list[AcceptedRecord] = field(default_factory=list)
    shard_id: str = field(init=False)
    _base: int = field(init=False)

    def __post_init__(self) -> None:
        self.shard_id = f"shardId-{self.index:012d}"
        # 56 digits as AWS's have; a child opens after its parents, so its numbers are larger than theirs.
        self._base = int(f"49{int(self.opened_at * 1000):014d}{self.index:010d}" + 30 * "0")

    @property
    def first_sequence_number(self) -> str:
        """The shard's lower bound: smaller than any record's."""
        return str(self._base)

    @property
    def last_sequence_number(self) -> str:
        """The last record's sequence number, or the lower bound."""
        return str(self._base + self.accepted)

    @property
    def open(self) -> bool:
        """Whether it takes records."""
        return self.closed_at is None

    def next_sequence_number(self) -> str:
        """Count one more record in and return its sequence number."""
        self.accepted += 1
        return str(self._base + self.accepted)

    def limit(self, limits: Limits, now: float) -> None:
        """Throttle by other limits from now on, with full buckets."""
        self.budget = Budget(limits, now)


class Stream:
    """A stream: shards whose open ones cover every hash key exactly once.

    Args:
        name: 1 to 128 of `[a-zA-Z0-9_.-]`.
        shards: how many to begin with, of equal hash ranges.
        now: when it is made, in seconds since 1970.
        ready_at: until then it is CREATING and takes nothing.
        on_demand: its mode, which is told and changes nothing else.
        limits: of each of its shards.
        max_record_kib: the largest data and partition key, 1024 to 10240.
        key_id: the KMS key that encrypts it; None for no encryption.

    Raises:
        ValueError: the name is none that Kinesis allows, or there is no shard.
    """

    def __init__(
        self,
        name: str,
        shards: int = 1,
        *,
        now: float,
        limits: Limits,
        ready_at: float = 0.0,
        on_demand: bool = False,
        max_record_kib: int = DEFAULT_MAX_RECORD_KIB,
        key_id: str | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"a stream's name is 1 to 128 of a-z A-Z 0-9 _ . -, not {name!r}")
        if shards < 1:
            raise ValueError(f"a stream has at least 1 shard, not {shards}")
        self.name = name
        self.created_at = now
        self.ready_at = ready_at
        self.on_demand = on_demand
        self.limits = limits
        self.key_id = key_id
        self.max_record_kib = max_record_kib
        self.shards: list[Shard] = []
        for index in range(shards):
            self._open(index * HASH_KEYS // shards, (index + 1) * HASH_KEYS // shards - 1, now)
        self._route()

    @property
    def open_shards(self) -> Sequence[Shard]:
        """The shards that take records, by hash key."""
        return self._open_shards

    def status(self, now: float) -> str:
        """Return CREATING or ACTIVE."""
        return "ACTIVE" if now >= self.ready_at else "CREATING"

    def shard_of(self, key: int) -> Shard:
        """Return the open shard that owns a hash key."""
        return self._open_shards[bisect_left(self._ends, key)]

    def shard(self, shard_id: str) -> Shard | None:
        """Return a shard, open or closed."""
        number = shard_id.removeprefix("shardId-")
        if number.isdecimal() and int(number) < len(self.shards):
            shard = self.shards[int(number)]
            return shard if shard.shard_id == shard_id else None
        return None

    def limit(self, limits: Limits, now: float) -> None:
        """Throttle all shards, those to come too, by other limits."""
        self.limits = limits
        for shard in self.shards:
            shard.limit(limits, now)

    def split(self, shard: Shard, at: int, now: float) -> tuple[Shard, Shard]:
        """Close a shard and open two: the keys below `at`, and those from `at` on.

        Raises:
            Refusal: it is closed, or `at` is not within it: greater than its start + 1, less than its end.
        """
        self._demand_open(shard)
        if not shard.start + 1 < at < shard.end:
            raise Refusal(
                "InvalidArgumentException",
                f"NewStartingHashKey {at} used in SplitShard() on shard {shard.shard_id} in stream "
                f"{self.name} is not both greater than one plus the shard's StartingHashKey {shard.start} "
                f"and less than the shard's EndingHashKey {shard.end}.",
            )
        shard.closed_at = now
        children = (
            self._open(shard.start, at - 1, now, shard),
            self._open(at, shard.end, now, shard),
        )
        self._route()
        return children

    def merge(self, shard: Shard, adjacent: Shard, now: float) -> Shard:
        """Close two neighbours and open one that has the keys of both.

        Raises:
            Refusal: one is closed, or they are no neighbours.
        """
        self._demand_open(shard)
        self._demand_open(adjacent)
        low, high = sorted((shard, adjacent), key=lambda each: each.start)
        if low.end + 1 != high.start:
            raise Refusal(
                "InvalidArgumentException",
                f"Shards {shard.shard_id} and {adjacent.shard_id} in stream {self.name} are not an adjacent "
                "pair of shards eligible for merging",
            )
        low.closed_at = high.closed_at = now
        child = self._open(low.start, high.end, now, shard, adjacent)
        self._route()
        return child

    def _demand_open(self, shard: Shard) -> None:
        if not shard.open:
            raise Refusal(
                "InvalidArgumentException",
                f"Shard {shard.shard_id} in stream {self.name} has already been merged or split, "
                "and thus is not eligible for merging or splitting.",
            )

    def _open(
        self, start: int, end: int, now: float, parent: Shard | None = None, adjacent: Shard | None = None
    ) -> Shard:
        shard = Shard(
            index=len(self.shards),
            start=start,
            end=end,
            opened_at=now,
            budget=Budget(self.limits, now),
            parent=parent,
            adjacent_parent=adjacent,
        )
        self.shards.append(shard)
        return shard

    def _route(self) -> None:
        self._open_shards = sorted((each for each in self.shards if each.open), key=lambda each: each.start)
        self._ends = [shard.end for shard in self._open_shards]


def position_at(records: Sequence[AcceptedRecord], time: float) -> int:
    """Return the place of the first record that was accepted at an instant or later."""
    return bisect_left(records, time, key=lambda record: record.time)


def position_of(records: Sequence[AcceptedRecord], sequence_number: str, *, after: bool) -> int:
    """Return the place of the record with a sequence number, or the one after it."""
    number = int(sequence_number)
    bisect = bisect_right if after else bisect_left
    return bisect(records, number, key=lambda record: int(record.sequence_number))
