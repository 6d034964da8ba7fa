"""PutRecords and PutRecord: what is refused as a whole, what fails alone, and what is accepted."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from headgate.testing.faults import RecordFacts
from headgate.testing.ledger import AcceptedRecord, LoggedRequest, ShardTotals
from headgate.testing.refusals import Refusal, invalid, usual_message
from headgate.testing.requests import Entry, PutRecord, PutRecords
from headgate.testing.service import Service
from headgate.testing.streams import HASH_KEYS, Shard, Stream, hash_key

MAX_RECORDS = 500
MAX_PARTITION_KEY = 256
THROTTLED = "ProvisionedThroughputExceededException"

_HASH_KEY = re.compile(r"0|[1-9]\d{0,38}")


class _Put(NamedTuple):
    """A valid record: whose hash key it has, and what counts as its size."""

    data: bytes
    partition_key: str
    hash_key: int
    size: int


class _Verdict(NamedTuple):
    """What becomes of one record."""

    shard_id: str
    sequence_number: str
    error_code: str | None
    error_message: str


def put_records(service: Service, request: PutRecords, log: LoggedRequest) -> dict[str, Any]:
    """Put up to 500 records; each is accepted or fails alone."""
    entries = request.records or []
    if not 1 <= len(entries) <= MAX_RECORDS:
        raise invalid(
            "Value at 'records' failed to satisfy constraint: Member must have length "
            + (f"less than or equal to {MAX_RECORDS}" if entries else "greater than or equal to 1")
        )
    stream = service.active_stream_in(request)
    puts = [_checked(entry, stream, f"records.{at}.member.") for at, entry in enumerate(entries, 1)]
    _check_size(service, sum(put.size for put in puts))
    _check_dry_run(service, request.dry_run)
    verdicts = _put(service, stream, puts, log)
    return {
        "FailedRecordCount": sum(verdict.error_code is not None for verdict in verdicts),
        "Records": [
            {"SequenceNumber": number, "ShardId": shard_id}
            if code is None
            else {"ErrorCode": code, "ErrorMessage": message}
            for shard_id, number, code, message in verdicts
        ],
        "EncryptionType": encryption(stream),
    }


def put_record(service: Service, request: PutRecord, log: LoggedRequest) -> dict[str, Any]:
    """Put one record."""
    stream = service.active_stream_in(request)
    entry = Entry(request.data, request.partition_key, request.explicit_hash_key)
    put = _checked(entry, stream, "")
    _check_size(service, put.size)
    _check_dry_run(service, request.dry_run)
    [verdict] = _put(service, stream, [put], log)
    if verdict.error_code is not None:
        raise Refusal(verdict.error_code, verdict.error_message)
    return {
        "ShardId": verdict.shard_id,
        "SequenceNumber": verdict.sequence_number,
        "EncryptionType": encryption(stream),
    }


def encryption(stream: Stream) -> str:
    """Return a stream's EncryptionType."""
    return "NONE" if stream.key_id is None else "KMS"


def _checked(entry: Entry, stream: Stream, where: str) -> _Put:
    key = entry.partition_key
    if entry.data is None or key is None:
        missing = "data" if entry.data is None else "partitionKey"
        raise invalid(
            f"Value null at '{where}{missing}' failed to satisfy constraint: Member must not be null"
        )
    if not 1 <= len(key) <= MAX_PARTITION_KEY:
        bound = f"less than or equal to {MAX_PARTITION_KEY}" if key else "greater than or equal to 1"
        raise invalid(
            f"Value at '{where}partitionKey' failed to satisfy constraint: Member must have length {bound}"
        )
    size = len(entry.data) + len(key.encode())
    if size > stream.max_record_kib * 1024:
        raise invalid(
            f"Value at '{where}data' failed to satisfy constraint: Member must have length less than or "
            f"equal to {stream.max_record_kib * 1024}"
        )
    explicit = entry.explicit_hash_key
    return _Put(entry.data, key, hash_key(key) if explicit is None else _explicit(explicit), size)


def _explicit(key: str) -> int:
    if not _HASH_KEY.fullmatch(key) or int(key) >= HASH_KEYS:
        raise Refusal(
            "InvalidArgumentException",
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {key}",
        )
    return int(key)


def _check_size(service: Service, size: int) -> None:
    if size > service.max_request_bytes:
        raise Refusal(
            "InvalidArgumentException",
            f"Records size exceeds {service.max_request_bytes / 2**20:g} MB limit",
        )


def _check_dry_run(service: Service, asked: bool) -> None:
    if asked and service.dry_run:
        raise Refusal("DryRunOperationException", "Request would have succeeded, but the DryRun flag is set.")


def _put(service: Service, stream: Stream, puts: Sequence[_Put], log: LoggedRequest) -> list[_Verdict]:
    now = service.clock()
    full, faulty = service.ledger.full, service.faults.on_records
    totals: dict[str, ShardTotals] = {}
    verdicts = []
    for put in puts:
        shard = stream.shard_of(put.hash_key)
        total = totals.get(shard.shard_id)
        if total is None:
            total = totals[shard.shard_id] = ShardTotals()
        total.offered_records += 1
        total.offered_bytes += put.size
        failed = _fault(service, shard, put, log) if faulty else None
        if failed is None and not shard.budget.take(put.size, now):
            failed = _failed(service, stream, shard, THROTTLED)
        if failed is not None:
            verdicts.append(failed)
            continue
        number = shard.next_sequence_number()
        total.accepted_records += 1
        total.accepted_bytes += put.size
        verdicts.append(_Verdict(shard.shard_id, number, None, ""))
        if full:
            record = AcceptedRecord(
                stream.name, shard.shard_id, number, put.partition_key, put.data, log.request_id, now
            )
            shard.records.append(record)
            service.ledger.accept(record)
    service.ledger.count(stream.name, totals)
    log.verdicts = tuple(verdict.error_code for verdict in verdicts)
    return verdicts


def _fault(service: Service, shard: Shard, put: _Put, log: LoggedRequest) -> _Verdict | None:
    facts = RecordFacts(log.stream, shard.shard_id, put.partition_key, put.data)
    fault = service.faults.strike_record(log, facts)
    if fault is None:
        return None
    return _failed(service, service.streams[log.stream], shard, fault.code, fault.message)


def _failed(
    service: Service, stream: Stream, shard: Shard, code: str, message: str | None = None
) -> _Verdict:
    if message is None:
        where = f"shard {shard.shard_id} in stream {stream.name}"
        message = (
            f"Rate exceeded for {where} under account {service.account}."
            if code == THROTTLED
            else usual_message(code, stream=stream.name, account=service.account)
        )
    return _Verdict(shard.shard_id, "", code, message)
