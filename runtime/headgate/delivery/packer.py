"""What the next request carries: the oldest lane's portion first, then the next oldest's, as much as fits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from headgate.delivery.lanes import Lane
from headgate.delivery.pace import cost
from headgate.delivery.submission import Record

MAX_RECORDS = 500
"""Records in one PutRecords request (Kinesis API reference)."""
MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""Data and partition keys of one request (Kinesis API reference)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may carry."""

    records: int = MAX_RECORDS
    size: int = MAX_REQUEST_BYTES
    """Bytes of data and partition keys."""
    strict: bool = False
    """Whether a request takes at most one record of a partition key: Kinesis gives no order inside it."""


class Portion(NamedTuple):
    """One lane's part of a request: the records from `start` up to `end`, of `size` bytes together."""

    lane: Lane
    start: int
    end: int
    size: int


@dataclass(slots=True)
class Parcel:
    """The records of one request, each lane's together and in their order."""

    records: list[Record] = field(default_factory=list)
    portions: list[Portion] = field(default_factory=list)
    size: int = 0


class Packed(NamedTuple):
    """A request, or when to look again."""

    parcel: Parcel | None
    """None when no lane may send now."""
    wait: float | None
    """Seconds until a lane that holds records may send; None when none of them waits for a time."""


def pack(busy: Iterable[Lane], now: float, bounds: Bounds) -> Packed:
    """Take the records of the next request out of their lanes, and mark them as in flight.

    Args:
        busy: the lanes in which records may wait.
        now: the time by the clock of the lanes' paces and backoffs.
        bounds: what the request may carry.
    """
    ready: list[tuple[int, Lane]] = []  # each with the place of its oldest record in the order of queueing
    wait: float | None = None
    for lane in busy:
        oldest = lane.oldest()
        if oldest is None or lane.in_flight:
            continue
        seconds = seconds_until_ready(lane, now)
        if seconds <= 0:
            ready.append((oldest.sequence, lane))
        elif wait is None or seconds < wait:
            wait = seconds
    if not ready:
        return Packed(None, wait)
    parcel = Parcel()
    for _, lane in sorted(ready, key=itemgetter(0)):
        if not _take(lane, parcel, now, bounds):
            break
    return Packed(parcel, 0.0)


def seconds_until_ready(lane: Lane, now: float) -> float:
    """Return how long a lane's backoff and pace still hold it back."""
    if lane.blocked_until > now:
        return lane.blocked_until - now
    if lane.pace.rate is None:
        return 0.0
    allowance = lane.pace.allowance(now)
    wanted = lane.pace.portion(cost(lane.held_records, lane.held_bytes))
    return 0.0 if allowance >= wanted else lane.pace.seconds_until(wanted)


def _take(lane: Lane, parcel: Parcel, now: float, bounds: Bounds) -> bool:
    """Move what fits of a lane into the parcel; return whether there is room for another lane's."""
    start = len(parcel.records)
    room, room_bytes = bounds.records - start, bounds.size - parcel.size
    if room <= 0 or room_bytes <= 0:
        return False
    allowance = lane.pace.allowance(now)
    easy = not (bounds.strict or lane.withdrawn) and allowance == float("inf")
    if easy and lane.held_bytes <= room_bytes:
        size = _take_first(lane, parcel, room)
    else:
        size = _take_some(lane, parcel, bounds, allowance)
    end = len(parcel.records)
    if end == start:
        return False
    for record in parcel.records[start:]:
        record.waiting = False
    lane.in_flight += end - start
    lane.pace.spend(cost(end - start, size))
    parcel.size += size
    parcel.portions.append(Portion(lane, start, end, size))
    return True


def _take_first(lane: Lane, parcel: Parcel, records: int) -> int:
    """Take so many records, or all; return their bytes."""
    if len(lane.waiting) <= records:
        parcel.records += lane.waiting
        lane.waiting.clear()
        return lane.held_bytes
    taken = [lane.waiting.popleft() for _ in range(records)]
    parcel.records += taken
    return sum([record.size for record in taken])


def _take_some(lane: Lane, parcel: Parcel, bounds: Bounds, allowance: float) -> int:
    """Take records while they fit; the first of a request, and of a paced lane, always does."""
    keys: set[str] = set()
    held_back: list[Record] = []
    taken = size = 0
    # As many are looked past as a request holds: a lane full of one key costs no more than that.
    while len(parcel.records) < bounds.records and len(held_back) < bounds.records:
        record = lane.oldest()
        if record is None:
            break
        if parcel.records and parcel.size + size + record.size > bounds.size:
            break
        if taken and cost(taken + 1, size + record.size) > allowance:
            break
        lane.waiting.popleft()
        if bounds.strict and record.partition_key in keys:
            held_back.append(record)
            continue
        keys.add(record.partition_key)
        parcel.records.append(record)
        taken += 1
        size += record.size
    lane.waiting.extendleft(reversed(held_back))
    return size
