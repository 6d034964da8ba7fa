"""A record as a reader gets it, and its form as one line of JSON. Pure."""

import json
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn

import msgspec


class Record(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    """One record of a shard, under the names that Kinesis gives its parts."""

    sequence_number: str
    partition_key: str
    approximate_arrival_timestamp: float
    """Seconds since 1970, to the millisecond."""
    data: bytes

    @property
    def size(self) -> int:
        """Bytes as a shard's limit counts them: data and partition key."""
        key = self.partition_key
        return len(self.data) + (len(key) if key.isascii() else len(key.encode()))

    @property
    def arrival(self) -> datetime:
        """The approximate arrival timestamp, in UTC."""
        return datetime.fromtimestamp(self.approximate_arrival_timestamp, UTC)

    @property
    def event(self) -> bytes | None:
        """The data as JSON on one line, else as it was sent byte for byte; None if it is no JSON."""
        return event_in(self.data)


_encode = msgspec.json.Encoder().encode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


def event_in(data: bytes) -> bytes | None:
    """Return a record's data as JSON on one line, else as it was sent; None if it is no JSON."""
    if not _is_json(data):
        return None
    # In JSON a line break can stand between tokens only, where a space means the same.
    return data.replace(b"\n", b" ").replace(b"\r", b" ")


def json_line(shard_id: str, record: Record) -> bytes:
    """Return the record as one JSON object on one line.

    Its keys are `shardId`, `sequenceNumber`, `partitionKey`, `approximateArrivalTimestamp` (ISO 8601, UTC)
    and `event`; a record whose data is no JSON has `data`, in base64, in place of `event`.
    """
    event = record.event
    seconds, millis = divmod(round(record.approximate_arrival_timestamp * 1000), 1000)
    return (
        b'{"shardId":%b,"sequenceNumber":%b,"partitionKey":%b,"approximateArrivalTimestamp":"%b.%03dZ",%b}\n'
        % (
            _encode(shard_id),
            _encode(record.sequence_number),
            _encode(record.partition_key),
            _to_the_second(seconds),
            millis,
            b'"data":' + _encode(record.data) if event is None else b'"event":' + event,
        )
    )


def members_of(data: bytes) -> object:
    """Return JSON as Python reads it, where msgspec would not: it refuses the escape of a lone surrogate.

    Raises:
        ValueError: it is no JSON.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(data.decode(), parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


@lru_cache(maxsize=64)
def _to_the_second(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()


def _is_json(data: bytes) -> bool:
    try:
        data.decode()
        _decode_raw(data)
    except (UnicodeDecodeError, RecursionError):
        return False
    except msgspec.DecodeError:
        # JavaScript writes a lone surrogate as an escape, and JSON allows it.
        return b"\\u" in data and _is_json_to_python(data)
    return True


def _is_json_to_python(data: bytes) -> bool:
    try:
        members_of(data)
    except ValueError:
        return False
    return True
