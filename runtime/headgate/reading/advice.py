"""What the load of a stream suggests to do. Pure."""

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from headgate.reading.load import ShardLoad, Split, StreamLoad

HOT = 0.8
"""The mean use of a limit from which on a shard is hot; it is hot too when a single second used all of it."""
GOOD_SPLIT = 0.75
"""A split that leaves more than this of the load in one shard is not worth it."""
ROOM = 0.25
"""Shards' worth that is kept free when shards are counted, beside the busiest second."""

_BY_ITSELF = (
    "the stream is on demand, so Kinesis adds shards by itself; more than twice the peak of the last 30 days "
    "within 15 minutes may still be throttled"
)

Mode = Literal["PROVISIONED", "ON_DEMAND"]
Kind = Literal["split", "use_message_id", "more_shards", "fewer_shards", "wait"]


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream that is advised on, as far as it may be described."""

    name: str
    region: str
    arn: str | None
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, and why."""

    kind: Kind
    shard_id: str | None
    """None where it is about the whole stream."""
    text: str
    commands: tuple[str, ...] = ()
    """Each does it alone."""


def hot(shard: ShardLoad) -> bool:
    """Whether a shard is at its limit or near it."""
    return shard.use.share >= HOT or shard.peak.share >= 1.0


def advise(stream: Stream, load: StreamLoad) -> list[Advice]:
    """Return what to do; nothing where the shards carry their load with ease."""
    count = len(load.open_shards)
    found = [(shard, _good_split(shard)) for shard in load.open_shards if hot(shard)]
    by_one_key = [_hot_key(shard) for shard, split in found if split is None]
    spread = [(shard, split) for shard, split in found if split is not None]
    if count > 1 and len(spread) > count / 2:
        return [*by_one_key, _more_shards(stream, load)]
    if not found and stream.mode != "ON_DEMAND":
        return [*_fewer_shards(stream, load)]
    return [*by_one_key, *(_hot_range(stream, shard, split) for shard, split in spread)]


def _good_split(shard: ShardLoad) -> Split | None:
    split = shard.best_split()
    return split if split is not None and split.larger_share <= GOOD_SPLIT else None


def _hot_key(shard: ShardLoad) -> Advice:
    [key] = shard.hottest(1)
    return Advice(
        "use_message_id",
        shard.shard_id,
        f"{shard.shard_id} is {_how_hot(shard)}, {key.share:.0%} of it of the partition key "
        f"{key.partition_key!r}. A key is in one shard, so a split does not help: find out who sends so much "
        "for it, or set use_message_id = true in the destination and give up the order of each user's events",
    )


def _hot_range(stream: Stream, shard: ShardLoad, split: Split) -> Advice:
    text = f"{shard.shard_id} is {_how_hot(shard)}"
    if stream.mode == "ON_DEMAND":
        return Advice("wait", shard.shard_id, f"{text}; {_BY_ITSELF}")
    at = ("--shard-to-split", shard.shard_id, "--new-starting-hash-key", str(split.hash_key))
    return Advice(
        "split",
        shard.shard_id,
        f"{text}; split it where {split.larger_share:.0%} of its load stays in one shard",
        (_aws(stream, "split-shard", *at),),
    )


def _more_shards(stream: Stream, load: StreamLoad) -> Advice:
    count = len(load.open_shards)
    text = f"more than half of the {count} shards are hot"
    if stream.mode == "ON_DEMAND":
        return Advice("wait", None, f"{text}; {_BY_ITSELF}")
    # UpdateShardCount doubles at most (Kinesis API reference).
    wanted = min(max(_needed(load), count + 1), 2 * count)
    return Advice(
        "more_shards",
        None,
        f"{text}: make them {wanted}, or let Kinesis choose, on demand",
        (_update(stream, wanted), *_go_on_demand(stream)),
    )


def _fewer_shards(stream: Stream, load: StreamLoad) -> Iterator[Advice]:
    count = len(load.open_shards)
    # Where the load is uneven, a wider shard takes more than its part of it.
    busiest = max((shard.peak.share for shard in load.open_shards), default=0.0)
    needed = max(_needed(load), math.ceil(busiest * count / HOT))
    if needed <= count / 2:
        # UpdateShardCount halves at most.
        wanted = max(needed, math.ceil(count / 2))
        yield Advice(
            "fewer_shards",
            None,
            f"the busiest second was {load.peak.share:.1f} shards' worth, of {count}: {wanted} would do, "
            "unless other times are busier",
            (_update(stream, wanted),),
        )


def _needed(load: StreamLoad) -> int:
    return max(math.ceil(load.peak.share + ROOM), 1)


def _how_hot(shard: ShardLoad) -> str:
    if shard.use.share >= HOT:
        return f"at {shard.use.share:.0%} of its limit of {shard.use.bound}"
    return f"at {shard.peak.share:.0%} of its limit of {shard.peak.bound} in its busiest second"


def _update(stream: Stream, count: int) -> str:
    to = ("--target-shard-count", str(count), "--scaling-type", "UNIFORM_SCALING")
    return _aws(stream, "update-shard-count", *to)


def _go_on_demand(stream: Stream) -> Iterator[str]:
    if stream.arn is not None:
        mode = ("--stream-arn", stream.arn, "--stream-mode-details", "StreamMode=ON_DEMAND")
        yield shlex.join(("aws", "kinesis", "update-stream-mode", "--region", stream.region, *mode))


def _aws(stream: Stream, command: str, *options: str) -> str:
    named = ("--region", stream.region, "--stream-name", stream.name)
    return shlex.join(("aws", "kinesis", command, *named, *options))
