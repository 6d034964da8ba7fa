"""The load that is planned for."""

import math
from dataclasses import dataclass
from fractions import Fraction

Number = float | Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What comes in, how it is read, and how long it is kept.

    Attributes:
        events_per_second: the mean, or whatever `peak_factor` is to be multiplied with. Above 0.
        average_bytes: one event's JSON and its partition key. Above 0.
        peak_factor: the busiest second over `events_per_second`. 1 or more.
        headroom: the shards are multiplied with it; 1.25 keeps a fifth of each free. 1 or more.
        consumers: how many read with GetRecords and so share what a shard gives its readers. 0 or more.
        retention_hours: how long the stream keeps a record: 24 to 8,760 (Kinesis quotas).

    Raises:
        ValueError: a value is out of its range; names it, and what is allowed.
    """

    events_per_second: Number
    average_bytes: Number
    peak_factor: Number = 1
    headroom: Number = 1
    consumers: int = 1
    retention_hours: int = 24

    def __post_init__(self) -> None:
        _check_above_zero("events_per_second", self.events_per_second)
        _check_above_zero("average_bytes", self.average_bytes)
        _check_factor("peak_factor", self.peak_factor)
        _check_factor("headroom", self.headroom)
        if self.consumers < 0:
            raise ValueError(
                f"consumers: {self.consumers!r} is not allowed; it must be a whole number, 0 or more"
            )

    @property
    def events(self) -> Fraction:
        """Events a second, the mean."""
        return exact(self.events_per_second)

    @property
    def event_bytes(self) -> Fraction:
        """Bytes of one event."""
        return exact(self.average_bytes)

    @property
    def peak_events(self) -> Fraction:
        """Events in the busiest second."""
        return self.events * exact(self.peak_factor)

    def units(self, size: int) -> int:
        """Return how many units of so many bytes one event is billed as: each record takes whole ones."""
        return math.ceil(self.event_bytes / size)


def exact(value: Number) -> Fraction:
    """Return what a person who wrote `value` meant by it.

    In floating point, 10 shards times a headroom of 1.1 would round up to 12.
    """
    return Fraction(str(value))


def _check_above_zero(name: str, value: Number) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: {value!r} is not allowed; it must be a number above 0")


def _check_factor(name: str, value: Number) -> None:
    if not (math.isfinite(value) and value >= 1):
        raise ValueError(f"{name}: {value!r} is not allowed; it must be a number, 1 or more")
