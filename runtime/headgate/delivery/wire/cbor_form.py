"""The CBOR form of the Kinesis protocol: `application/x-amz-cbor-1.1`, data as it is (RFC 8949).

Requests are joined from pieces. The answer that all records are in is searched instead of decoded; whatever
looks otherwise goes through cbor2.
"""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import cbor2
import msgspec

from headgate.delivery.wire.faults import Fault
from headgate.delivery.wire.messages import Answer, PutRecordAnswer, PutRecordsAnswer, WireRecord

_BYTES, _TEXT, _ARRAY = 2, 3, 4


def _head(major: int, length: int) -> bytes:
    """Return what stands before a string of `length` bytes or an array of `length` items."""
    if length < 24:
        return bytes((major << 5 | length,))
    if length < 1 << 8:
        return bytes((major << 5 | 24, length))
    if length < 1 << 16:
        return bytes((major << 5 | 25,)) + length.to_bytes(2, "big")
    return bytes((major << 5 | 26,)) + length.to_bytes(4, "big")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _head(_TEXT, len(encoded)) + encoded


_MAP_OF_2, _MAP_OF_3 = b"\xa2", b"\xa3"
_STREAM_NAME, _RECORDS, _DATA, _PARTITION_KEY = map(_text, ("StreamName", "Records", "Data", "PartitionKey"))
# An entry is these two and what they announce. Most records find theirs in the tables; a key of Kinesis has
# 256 characters at most, which is 1,024 bytes.
_BEFORE_DATA = [_MAP_OF_2 + _DATA + _head(_BYTES, length) for length in range(4096)]
_BEFORE_KEY = [_PARTITION_KEY + _head(_TEXT, length) for length in range(1025)]

# What stands before a shard ID of 20 bytes, which they all have. In text, because splitting bytes would leave
# each ID to be decoded.
_SHARD_ID = (_text("ShardId") + _head(_TEXT, 20)).decode("ascii")
_first_20 = itemgetter(slice(20))
_is_shard_id = re.compile(r"shardId-[0-9]{12}").fullmatch
_SEQUENCE_NUMBER = _text("SequenceNumber").decode("ascii")
_FAILED_COUNT = _text("FailedRecordCount")


def decode(body: bytes) -> dict[Any, Any] | None:
    """Return the map that a body holds; None when it holds none."""
    try:
        decoded = cbor2.loads(body)
    except cbor2.CBORError:
        return None
    return decoded if isinstance(decoded, dict) else None


class CborForm:
    """Builds requests and reads answers. A key that is no Unicode text raises UnicodeEncodeError."""

    name = "cbor"
    content_type = "application/x-amz-cbor-1.1"

    def put_records(self, stream_name: str, records: Sequence[WireRecord]) -> bytes:
        """Return the body of a PutRecords request."""
        parts = [_MAP_OF_2, _STREAM_NAME, _text(stream_name), _RECORDS, _head(_ARRAY, len(records))]
        for record in records:
            data, key = record.data, record.partition_key.encode()
            size, key_size = len(data), len(key)
            parts += (
                _BEFORE_DATA[size] if size < 4096 else _MAP_OF_2 + _DATA + _head(_BYTES, size),
                data,
                _BEFORE_KEY[key_size] if key_size < 1025 else _PARTITION_KEY + _head(_TEXT, key_size),
                key,
            )
        return b"".join(parts)

    def put_record(self, stream_name: str, record: WireRecord) -> bytes:
        """Return the body of a PutRecord request."""
        name, key = _text(stream_name), _text(record.partition_key)
        data = _head(_BYTES, len(record.data)), record.data
        return b"".join((_MAP_OF_3, _STREAM_NAME, name, _DATA, *data, _PARTITION_KEY, key))

    def read_put_records(self, body: bytes, sent: int) -> Answer | Fault | None:
        """Return what became of `sent` records; None when the body is no PutRecords answer in this form."""
        if (shard_ids := _all_in(body, sent)) is not None:
            return Answer({}, shard_ids)
        try:
            return msgspec.convert(decode(body), PutRecordsAnswer).judged(sent)
        except msgspec.ValidationError:
            return None

    def read_put_record(self, body: bytes) -> Answer | None:
        """Return where the record is; None when the body is no PutRecord answer in this form."""
        try:
            return msgspec.convert(decode(body), PutRecordAnswer).judged()
        except msgspec.ValidationError:
            return None


def _all_in(body: bytes, sent: int) -> list[str] | None:
    """Return the shard IDs of an answer that plainly takes `sent` records; None when it must be decoded."""
    if body[:1] < b"\xa0" or _may_name_an_error(body):
        return None
    counted = body.find(_FAILED_COUNT)
    if counted >= 0 and not body.startswith(b"\0", counted + len(_FAILED_COUNT)):
        return None
    text = body.decode("latin-1")
    pieces = text.split(_SHARD_ID)
    if len(pieces) != sent + 1 or text.count(_SEQUENCE_NUMBER) != sent:
        return None
    shard_ids = list(map(_first_20, pieces))[1:]
    return shard_ids if all(map(_is_shard_id, set(shard_ids))) else None


def _may_name_an_error(body: bytes) -> bool:
    """Return whether an E is none of `EncryptionType: NONE`; ErrorCode has one. One letter is found fast."""
    at = body.find(b"E")
    while at >= 0 and (body.startswith(b"EncryptionType", at) or body.endswith(b"NONE", 0, at + 1)):
        at = body.find(b"E", at + 1)
    return at >= 0
