"""GetShardIterator and GetRecords: enough of reading for a consumer that polls."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from headgate.testing.forms import Time
from headgate.testing.ledger import AcceptedRecord, LoggedRequest
from headgate.testing.refusals import Refusal, invalid
from headgate.testing.requests import GetRecords, GetShardIterator, OnStream
from headgate.testing.service import Service
from headgate.testing.streams import Shard, Stream, position_at, position_of
from headgate.testing.writing import encryption

ITERATOR_SECONDS = 300
"""How long a shard iterator is good (Kinesis API reference)."""
MAX_ANSWER_BYTES = 10 * 2**20
"""Of data in one GetRecords answer (Kinesis API reference)."""


class Iterator(msgspec.Struct):
    """A shard iterator: the place of the next record in a shard, and when it was given out."""

    stream: str
    shard_id: str
    position: int
    given_at: float

    def token(self) -> str:
        """Return it as clients see it."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode()


def read_iterator(token: str) -> Iterator:
    """Return the iterator that a client gave back.

    Raises:
        Refusal: it is none of ours.
    """
    try:
        return msgspec.json.decode(urlsafe_b64decode(token), type=Iterator)
    except ValueError:
        raise Refusal("InvalidArgumentException", "Invalid ShardIterator.") from None


def get_shard_iterator(service: Service, request: GetShardIterator, _log: LoggedRequest) -> dict[str, Any]:
    """Give out an iterator."""
    stream = service.active_stream_in(request)
    shard = service.shard(stream, request.shard_id)
    iterator = Iterator(stream.name, shard.shard_id, _position(shard, request), service.clock())
    return {"ShardIterator": iterator.token()}


def get_records(service: Service, request: GetRecords, _log: LoggedRequest) -> dict[str, Any]:
    """Read on from an iterator."""
    if not 1 <= request.limit <= 10_000:
        raise invalid(f"Value '{request.limit}' at 'limit' failed to satisfy constraint: 1 to 10000")
    now, iterator = service.clock(), read_iterator(request.shard_iterator)
    if now - iterator.given_at > ITERATOR_SECONDS:
        raise Refusal(
            "ExpiredIteratorException",
            f"Iterator expired. It was given out {now - iterator.given_at:.0f} s ago, and is good for "
            f"{ITERATOR_SECONDS} s.",
        )
    stream = service.active_stream_in(OnStream(stream_name=iterator.stream))
    shard = service.shard(stream, iterator.shard_id)
    if not shard.budget.take_read(now):
        raise Refusal(
            "ProvisionedThroughputExceededException",
            f"Rate exceeded for shard {shard.shard_id} in stream {stream.name} under account "
            f"{service.account}.",
        )
    records = _bounded(shard.records[iterator.position : iterator.position + request.limit])
    shard.budget.give_out(sum(len(record.data) for record in records))
    position = iterator.position + len(records)
    behind = now - shard.records[position].time if position < len(shard.records) else 0.0
    answer: dict[str, Any] = {
        "Records": [_record(record, stream) for record in records],
        "MillisBehindLatest": round(behind * 1000),
    }
    if shard.open or position < len(shard.records):
        answer["NextShardIterator"] = Iterator(stream.name, shard.shard_id, position, now).token()
    else:
        answer["ChildShards"] = [_child(each) for each in stream.shards if shard in _parents(each)]
    return answer


def _position(shard: Shard, request: GetShardIterator) -> int:
    match request.shard_iterator_type:
        case "TRIM_HORIZON":
            return 0
        case "LATEST":
            return len(shard.records)
        case "AT_TIMESTAMP" if request.timestamp is not None:
            return position_at(shard.records, request.timestamp)
        case "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER" as kind:
            number = request.starting_sequence_number or ""
            if number.isdecimal():
                return position_of(shard.records, number, after=kind.startswith("AFTER"))
    raise Refusal(
        "InvalidArgumentException",
        f"ShardIteratorType {request.shard_iterator_type} is unknown, or lacks its Timestamp or "
        "StartingSequenceNumber.",
    )


def _bounded(records: list[AcceptedRecord]) -> list[AcceptedRecord]:
    """Return as many from the front as an answer may carry, and one at least."""
    left = MAX_ANSWER_BYTES
    for at, record in enumerate(records):
        left -= len(record.data)
        if left < 0 and at > 0:
            return records[:at]
    return records


def _record(record: AcceptedRecord, stream: Stream) -> dict[str, Any]:
    return {
        "SequenceNumber": record.sequence_number,
        "ApproximateArrivalTimestamp": Time(record.time),
        "Data": record.data,
        "PartitionKey": record.partition_key,
        "EncryptionType": encryption(stream),
    }


def _parents(shard: Shard) -> tuple[Shard | None, Shard | None]:
    return shard.parent, shard.adjacent_parent


def _child(shard: Shard) -> dict[str, Any]:
    return {
        "ShardId": shard.shard_id,
        "ParentShards": [parent.shard_id for parent in _parents(shard) if parent is not None],
        "HashKeyRange": {"StartingHashKey": str(shard.start), "EndingHashKey": str(shard.end)},
    }
