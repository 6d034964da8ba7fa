"""The load of shards beside their limits, by a sample of what was written. Pure."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import md5
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from headgate.reading.sample import Amount, Sample
from headgate.shards import SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

Bound = Literal["records", "bytes"]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a shard's limits is used: 1.0 is all of it."""

    share: float
    bound: Bound
    """The limit that is nearer."""

    @classmethod
    def of(cls, amount: Amount, seconds: float) -> "Use":
        """Return the use that an amount is in so many seconds."""
        records = amount.records / seconds / SHARD_RECORDS_PER_SECOND
        size = amount.bytes / seconds / SHARD_BYTES_PER_SECOND
        return cls(size, "bytes") if size > records else cls(records, "records")


@dataclass(frozen=True, slots=True)
class KeyLoad:
    """One partition key's part of its shard's load."""

    partition_key: str
    amount: Amount
    share: float
    """Of the shard's records or bytes, whichever limit of it is nearer."""


@dataclass(frozen=True, slots=True)
class Split:
    """Where a shard is best split."""

    hash_key: int
    """The first of the upper child."""
    larger_share: float
    """Of the shard's load, what then is in the busier child; 0.5 at best."""


@dataclass(frozen=True, slots=True)
class ShardLoad:
    """A shard and its load."""

    shard_id: str
    start: int
    end: int
    """The hash keys of the shard, both included."""
    open: bool
    sample: Sample
    seconds: float

    @property
    def use(self) -> Use:
        """The mean use over the sample."""
        return Use.of(self.sample.total, self.seconds)

    @property
    def peak(self) -> Use:
        """The use in the busiest second."""
        return _busiest(self.sample.seconds.values())

    def hottest(self, count: int) -> list[KeyLoad]:
        """Return the partition keys with the largest parts of the load, the largest first."""
        bound = self.use.bound
        whole = max(_in(bound, self.sample.total), 1)
        largest = heapq.nlargest(count, self.sample.keys.items(), key=lambda each: _in(bound, each[1]))
        return [KeyLoad(key, amount, _in(bound, amount) / whole) for key, amount in largest]

    def best_split(self) -> Split | None:
        """Return where a split leaves the least to the busier child; None where nothing can be split.

        Keys that the sample did not keep are many and small, so MD5 spreads them evenly over the shard.
        """
        bound = self.use.bound
        # A record may have been put with a hash key of its own; where its key's is says nothing then.
        known = sorted(
            (at, _in(bound, amount))
            for at, amount in ((hash_key(key), amount) for key, amount in self.sample.keys.items())
            if self.start <= at <= self.end
        )
        whole = _in(bound, self.sample.total)
        rest, width = whole - sum(weight for _, weight in known), self.end - self.start + 1
        # Kinesis wants more than the start's successor, and less than the end.
        first, last = self.start + 2, self.end - 1
        if not whole or first > last:
            return None
        below, best = 0, Split(first, 1.0)
        # Between two keys the load below grows steadily with the place; at a key it jumps.
        for (left, weight), (right, _) in pairwise([(self.start, 0), *known, (self.end + 1, 0)]):
            below += weight
            even = self.start + (whole / 2 - below) * width / rest if rest else (left + right) / 2
            place = min(max(int(even), left + 1, first), right, last)
            share = (below + rest * (place - self.start) / width) / whole
            if left < place and max(share, 1 - share) < best.larger_share:
                best = Split(place, max(share, 1 - share))
        return best


@dataclass(frozen=True, slots=True)
class StreamLoad:
    """The load of a stream."""

    shards: Sequence[ShardLoad]
    seconds: float

    @property
    def open_shards(self) -> list[ShardLoad]:
        """The shards that take records."""
        return [shard for shard in self.shards if shard.open]

    @property
    def total(self) -> Amount:
        """What all shards took, those with it that were split or merged meanwhile."""
        total = Amount()
        for shard in self.shards:
            total.join(shard.sample.total)
        return total

    @property
    def peak(self) -> Use:
        """How many shards' worth the busiest second was, evenly spread."""
        seconds: dict[int, Amount] = {}
        for shard in self.shards:
            for second, amount in shard.sample.seconds.items():
                seconds.setdefault(second, Amount()).join(amount)
        return _busiest(seconds.values())


def hash_key(partition_key: str) -> int:
    """Return the hash key that Kinesis gives a partition key."""
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


def load_of(
    shards: "Iterable[ShardTypeDef]", samples: dict[str, Sample], begin: float, end: float
) -> StreamLoad:
    """Return the load of a stream.

    Args:
        shards: as ListShards tells of them; closed ones count where there is a sample of them.
        samples: by shard ID.
        begin: when the samples begin, in seconds since 1970.
        end: when they end.
    """
    loads = []
    for shard in shards:
        is_open = "EndingSequenceNumber" not in shard["SequenceNumberRange"]
        sample = samples.get(shard["ShardId"], Sample(begin, end))
        if is_open or sample.total.records:
            hash_keys = shard["HashKeyRange"]
            start, last = int(hash_keys["StartingHashKey"]), int(hash_keys["EndingHashKey"])
            loads.append(ShardLoad(shard["ShardId"], start, last, is_open, sample, end - begin))
    return StreamLoad(sorted(loads, key=lambda each: each.start), end - begin)


def _busiest(seconds: Iterable[Amount]) -> Use:
    uses = (Use.of(amount, 1.0) for amount in seconds)
    return max(uses, key=lambda use: use.share, default=Use(0.0, "records"))


def _in(bound: Bound, amount: Amount) -> int:
    return amount.records if bound == "records" else amount.bytes
