"""What a shard takes in and gives out: token buckets for bytes, for records and for calls."""

from dataclasses import dataclass

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one shard accepts and gives out; what it accepts is by default what every Kinesis shard does.

    Args:
        bytes_per_second: data and partition keys; None for no limit. Kinesis: 1 MB/s.
        records_per_second: None for no limit. Kinesis: 1,000.
        burst_seconds: how many seconds' worth a shard that was idle takes at once. Kinesis documents none.
        reads_per_second: GetRecords calls, of all readers; None for no limit. Kinesis: 5.
        read_bytes_per_second: data that is read; an answer may hold more, and the shard then makes its
            readers wait. None for no limit. Kinesis: 2 MB/s.
    """

    bytes_per_second: float | None = 1_000_000
    records_per_second: float | None = 1_000
    burst_seconds: float = 1.0
    reads_per_second: float | None = None
    read_bytes_per_second: float | None = None

    def __post_init__(self) -> None:
        for rate in msgspec.structs.astuple(self):
            if rate is not None and rate <= 0:
                raise ValueError(f"a limit is more than 0, or None for no limit; not {rate}")


UNLIMITED = Limits(bytes_per_second=None, records_per_second=None)
"""Shards that throttle nothing."""


@dataclass(slots=True)
class _Bucket:
    """Tokens that refill at a rate, up to a burst."""

    rate: float
    burst: float
    tokens: float
    at: float

    def holds(self, amount: float, now: float) -> bool:
        """Whether the amount can be taken; one larger than the burst can once the bucket is full.

        So a record of more than a second's worth gets through, as a stream with a larger maximum record size
        allows, and what follows waits the longer.
        """
        if now > self.at:
            self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
            self.at = now
        return self.tokens >= min(amount, self.burst)


class Budget:
    """What one shard has left to give at an instant."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._bytes = _bucket(limits.bytes_per_second, limits.burst_seconds, now)
        self._records = _bucket(limits.records_per_second, limits.burst_seconds, now)
        self._reads = _bucket(limits.reads_per_second, 1.0, now)
        self._read_bytes = _bucket(limits.read_bytes_per_second, 1.0, now)

    def take(self, size: int, now: float) -> bool:
        """Take one record of `size` bytes, or nothing at all; return whether it was taken.

        Args:
            size: bytes of data and partition key.
            now: seconds on the clock that the budget was made with.
        """
        in_bytes, in_records = self._bytes, self._records
        if in_bytes is not None and not in_bytes.holds(size, now):
            return False
        if in_records is not None:
            if not in_records.holds(1, now):
                return False
            in_records.tokens -= 1
        if in_bytes is not None:
            in_bytes.tokens -= size
        return True

    def take_read(self, now: float) -> bool:
        """Take one GetRecords call; return whether it was taken."""
        if self._read_bytes is not None and not self._read_bytes.holds(0, now):
            return False
        if self._reads is not None:
            if not self._reads.holds(1, now):
                return False
            self._reads.tokens -= 1
        return True

    def give_out(self, size: int) -> None:
        """Note how many bytes that call has read."""
        if self._read_bytes is not None:
            self._read_bytes.tokens -= size


def _bucket(rate: float | None, burst_seconds: float, now: float) -> _Bucket | None:
    if rate is None:
        return None
    burst = rate * burst_seconds
    return _Bucket(rate, burst, burst, now)
