"""How many shards a load needs."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

SHARD_RECORDS_PER_SECOND = 1_000
SHARD_BYTES_IN_PER_SECOND = 1_000_000
SHARD_BYTES_OUT_PER_SECOND = 2_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardCapacity:
    """A number of shards, and the load that it was computed from.

    Attributes:
        shard_count: how many shards the load needs.
        bound_by: the limit of a shard that decided it: `"records"` (1,000 a second), `"bytes in"` (1 MB a
            second), `"bytes out"` (2 MB a second) or `"minimum"` (one shard carries the load with ease).
    """

    shard_count: int
    bound_by: str

    @classmethod
    def for_load(
        cls,
        *,
        events_per_second: float,
        average_event_bytes: float,
        peak_factor: float = 1,
        headroom: float = 1.0,
        consumers: int = 1,
    ) -> Self:
        """Return the shards that a load needs, by the limits that AWS documents for one shard.

        `shards = max(1, ceil(eps*peak/1000), ceil(eps*peak*bytes/1e6), ceil(eps*peak*bytes*consumers/2e6))`,
        times `headroom`, rounded up. Keys are taken to be spread evenly: one key never gets more than a
        shard.

        Args:
            events_per_second: the mean, or whatever `peak_factor` is to be multiplied with. Above 0.
            average_event_bytes: one event's JSON and its partition key, in bytes. Above 0.
            peak_factor: the busiest second over `events_per_second`. 1 or more.
            headroom: the result is multiplied with it; 1.25 keeps a fifth of every shard free. 1 or more.
            consumers: how many read with GetRecords and so share a shard's 2 MB a second; those with enhanced
                fan-out have their own and do not count. 0 or more.

        Raises:
            ValueError: a value is out of its range.
        """
        _check_above_zero("events_per_second", events_per_second)
        _check_above_zero("average_event_bytes", average_event_bytes)
        _check_factor("peak_factor", peak_factor)
        _check_factor("headroom", headroom)
        if not isinstance(consumers, int) or isinstance(consumers, bool) or consumers < 0:
            raise ValueError(f"consumers: {consumers!r} is not allowed; it must be a whole number, 0 or more")
        # Exact: in floating point, 10 shards times a headroom of 1.1 would round up to 12.
        events = _exact(events_per_second) * _exact(peak_factor)
        bytes_in = events * _exact(average_event_bytes)
        needs = {
            "minimum": 1,
            "records": math.ceil(events / SHARD_RECORDS_PER_SECOND),
            "bytes in": math.ceil(bytes_in / SHARD_BYTES_IN_PER_SECOND),
            "bytes out": math.ceil(bytes_in * consumers / SHARD_BYTES_OUT_PER_SECOND),
        }
        bound_by = max(needs, key=needs.__getitem__)
        return cls(shard_count=math.ceil(needs[bound_by] * _exact(headroom)), bound_by=bound_by)


def _exact(value: float) -> Fraction:
    """Return what a person who wrote `value` meant by it."""
    return Fraction(str(value))


def _check_above_zero(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: {value!r} is not allowed; it must be a number above 0")


def _check_factor(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 1):
        raise ValueError(f"{name}: {value!r} is not allowed; it must be a number, 1 or more")
