"""One record of a stream as pages show it: a row of what matters, or all of it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from headgate.console.feed import Seen
from headgate.console.inert import Shown, inert, json_or_bytes
from headgate.reading.filters import read_members
from headgate.reading.load import hash_key
from headgate.reading.record import event_in
from headgate.spec.timestamps import parse

_MOST_IN_CELL = 80
_MOST_IN_DETAIL = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A record in a table."""

    number: int
    arrival: datetime
    """By the local clock's time zone."""
    call: str
    name: str
    """Of a track call its event, of a page, screen or group its name."""
    user: str
    source: str
    shard: str


@dataclass(frozen=True, slots=True)
class Details:
    """A record, whole."""

    number: int
    facts: dict[str, str]
    event: Shown


def row_of(seen: Seen) -> Row:
    """Return a record's row."""
    record, data = seen.record, seen.record.data
    members = read_members(data)
    names = (members.event, members.name) if members.type == "track" else (members.name, members.event)
    name = next(filter(None, names), "")
    if not name and not members.type:
        name = f"{'no event' if event_in(data) else 'no JSON'}, {len(data):,} bytes"
    return Row(
        seen.number,
        record.arrival.astimezone(),
        inert(members.type or "", _MOST_IN_CELL),
        inert(name, _MOST_IN_CELL),
        inert(members.user_id or members.anonymous_id or "", _MOST_IN_CELL),
        inert(members.project_id or "", _MOST_IN_CELL),
        seen.shard_id,
    )


def details_of(seen: Seen) -> Details:
    """Return all there is to know of a record."""
    record = seen.record
    members = read_members(record.data)
    received = parse(members.received_at) if members.received_at else None
    facts = {
        "Arrival": f"{record.arrival.astimezone().isoformat(sep=' ', timespec='milliseconds')} (approximate)",
        "Delay": "unknown: it has no receivedAt"
        if received is None
        else f"{record.approximate_arrival_timestamp - received.timestamp():.3f} s after receivedAt",
        "Shard": seen.shard_id,
        "Sequence number": record.sequence_number,
        "Partition key": inert(record.partition_key, _MOST_IN_DETAIL),
        "Hash key": f"{hash_key(record.partition_key)} (MD5 of the partition key)",
        "Size": f"{record.size:,} bytes with its partition key",
        "messageId": inert(members.message_id or "none", _MOST_IN_DETAIL),
    }
    return Details(seen.number, facts, json_or_bytes(record.data))
