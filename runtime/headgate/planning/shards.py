"""How many shards a load needs.

The formula is that of `ShardCapacity` in `constructs_lib`, once more: the constructs are installed without
the runtime, and the image without CDK. A test compares the two over random loads.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from headgate.planning.load import Load, exact
from headgate.shards import (
    SHARD_BYTES_OUT_PER_SECOND,
    SHARD_BYTES_PER_SECOND,
    SHARD_RECORDS_PER_SECOND,
)

Bound = Literal["minimum", "records", "bytes in", "bytes out"]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit of a shard the busiest second takes."""

    amount: Fraction
    limit: int

    @property
    def shards(self) -> int:
        """The shards that are needed for it alone."""
        return math.ceil(self.amount / self.limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shards:
    """The shards of a provisioned stream, and what decided.

    Attributes:
        count: the shards, with headroom.
        bound_by: the limit that decided; `"minimum"` where one shard carries the load with ease.
        uses: of the busiest second, beside each limit of a shard.
    """

    count: int
    bound_by: Bound
    uses: Mapping[Bound, Use]


def uses(load: Load) -> dict[Bound, Use]:
    """Return what the busiest second takes of each limit of a shard."""
    bytes_in = load.peak_events * load.event_bytes
    return {
        "records": Use(load.peak_events, SHARD_RECORDS_PER_SECOND),
        "bytes in": Use(bytes_in, SHARD_BYTES_PER_SECOND),
        "bytes out": Use(bytes_in * load.consumers, SHARD_BYTES_OUT_PER_SECOND),
    }


def shards_for(load: Load) -> Shards:
    """Return the shards that a load needs, by the limits that AWS documents for one shard.

    `shards = max(1, ceil(eps*peak/1000), ceil(eps*peak*bytes/1e6), ceil(eps*peak*bytes*consumers/2e6))`,
    times `headroom`, rounded up. Keys are taken to be spread evenly: one key never gets more than a shard.
    """
    by_limit = uses(load)
    needs: dict[Bound, int] = {"minimum": 1, **{bound: use.shards for bound, use in by_limit.items()}}
    bound_by = max(needs, key=needs.__getitem__)
    return Shards(count=math.ceil(needs[bound_by] * exact(load.headroom)), bound_by=bound_by, uses=by_limit)
