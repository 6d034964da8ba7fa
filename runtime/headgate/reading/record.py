"""A record as a reader gets it, and its form as one line of JSON. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import msgspec


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream, under the names that Kinesis gives its parts."""

    shard_id: str
    sequence_number: str
    partition_key: str
    approximate_arrival_timestamp: datetime
    data: bytes

    @property
    def event(self) -> bytes | None:
        """The data as JSON on one line, else as it was sent byte for byte; None if it is no JSON."""
        if not _is_json(self.data):
            return None
        # In JSON a line break can stand between tokens only, where a space means the same.
        return self.data.replace(b"\n", b" ").replace(b"\r", b" ")


class _Line(msgspec.Struct, rename="camel", omit_defaults=True):
    shard_id: str
    sequence_number: str
    partition_key: str
    approximate_arrival_timestamp: str
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data: bytes | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode


def json_line(record: Record) -> bytes:
    """Return the record as one JSON object on one line.

    Its keys are `shardId`, `sequenceNumber`, `partitionKey`, `approximateArrivalTimestamp` (ISO 8601, UTC)
    and `event`; a record whose data is no JSON has `data`, in base64, in place of `event`.
    """
    event = record.event
    arrival = record.approximate_arrival_timestamp.astimezone(UTC)
    line = _Line(
        shard_id=record.shard_id,
        sequence_number=record.sequence_number,
        partition_key=record.partition_key,
        approximate_arrival_timestamp=arrival.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        event=msgspec.UNSET if event is None else msgspec.Raw(event),
        data=record.data if event is None else msgspec.UNSET,
    )
    return _encode(line) + b"\n"


def _is_json(data: bytes) -> bool:
    try:
        text = data.decode()
        msgspec.json.decode(data, type=msgspec.Raw)
    except UnicodeDecodeError:
        return False
    except msgspec.DecodeError:
        # msgspec refuses the escape of a lone surrogate, which JavaScript writes and JSON allows.
        return "\\u" in text and _is_json_to_python(text)
    return True


def _is_json_to_python(text: str) -> bool:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True
