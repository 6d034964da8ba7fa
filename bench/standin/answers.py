"""What Kinesis answers when it takes everything. No I/O."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import cbor2

from bench.standin import keys

HASH_KEYS = 2**128
SEQUENCE_NUMBER = f"{4959033827149025660855969253836157109592:056}"


@dataclass(frozen=True)
class Form:
    """One of the two forms of the protocol."""

    content_type: str
    read: Callable[[bytes], Any]
    write: Callable[[object], bytes]
    keys: Callable[[bytes], list[bytes]]
    before: bytes
    """What stands before the entries of an answer to PutRecords."""
    counted: Callable[[int], bytes]
    """And how many of them there are, where that is told."""
    between: bytes
    after: bytes


def _cbor_array(count: int) -> bytes:
    """The head of an array."""
    return bytes([0x80 | count]) if count < 24 else b"\x99" + count.to_bytes(2, "big")


JSON = Form(
    "application/x-amz-json-1.1",
    lambda body: json.loads(body or b"{}"),
    lambda answer: json.dumps(answer, separators=(",", ":")).encode(),
    keys.of_json,
    b'{"FailedRecordCount":0,"EncryptionType":"KMS","Records":[',
    lambda _: b"",
    b",",
    b"]}",
)
CBOR = Form(
    "application/x-amz-cbor-1.1",
    cbor2.loads,
    cbor2.dumps,
    keys.of_cbor,
    b"\xa3" + b"".join(map(cbor2.dumps, ("FailedRecordCount", 0, "EncryptionType", "KMS", "Records"))),
    _cbor_array,
    b"",
    b"",
)
FORMS = {form.content_type: form for form in (JSON, CBOR)}


class _Entries(dict[bytes, bytes]):
    """What is answered for a record, by its partition key; each is made once."""

    def __init__(self, answers: "Answers", form: Form) -> None:
        self._answers = answers
        self._form = form

    def __missing__(self, key: bytes) -> bytes:
        made = self[key] = self._form.write(self._answers.entry(key))
        return made


class Answers:
    """The answers of streams with so many shards of equal ranges, and a count of what was asked.

    It reads keys alone: ExplicitHashKey is not known, and a signature never looked at.
    """

    def __init__(self, shards: int) -> None:
        bounds = [number * HASH_KEYS // shards for number in range(shards + 1)]
        self._ends = [bound - 1 for bound in bounds[1:]]
        self._starts = bounds[:-1]
        self._entries = {form.content_type: _Entries(self, form) for form in FORMS.values()}
        self.records = 0
        """Taken so far."""
        self.calls: Counter[str] = Counter()
        """Requests so far, by operation."""

    def entry(self, key: bytes) -> dict[str, str]:
        """Return where a record is."""
        hashed = int.from_bytes(md5(key, usedforsecurity=False).digest(), "big")
        return {"SequenceNumber": SEQUENCE_NUMBER, "ShardId": shard_id(bisect_left(self._ends, hashed))}

    def answer(self, operation: str, form: Form, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        self.calls[operation] += 1
        if operation == "PutRecords":
            return 200, self.put_records(form, form.keys(body))
        make = {
            "PutRecord": self._put_record,
            "ListShards": self._list_shards,
            "DescribeStreamSummary": self._describe,
        }.get(operation)
        if make is None:
            return 400, form.write({"__type": "UnknownOperationException", "message": f"{operation!r}"})
        return 200, form.write(make(form.read(body)))

    def put_records(self, form: Form, of: Sequence[bytes]) -> bytes:
        """Return the answer to records with such keys."""
        self.records += len(of)
        entries = self._entries[form.content_type]
        joined = form.between.join([entries[key] for key in of])
        return form.before + form.counted(len(of)) + joined + form.after

    def _put_record(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.records += 1
        return self.entry(asked["PartitionKey"].encode())

    def _list_shards(self, _: dict[str, Any]) -> dict[str, Any]:
        ranges = enumerate(zip(self._starts, self._ends, strict=True))
        return {
            "Shards": [
                {
                    "ShardId": shard_id(number),
                    "HashKeyRange": {"StartingHashKey": str(start), "EndingHashKey": str(end)},
                    "SequenceNumberRange": {"StartingSequenceNumber": SEQUENCE_NUMBER},
                }
                for number, (start, end) in ranges
            ]
        }

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "StreamDescriptionSummary": {
                "StreamName": asked["StreamName"],
                "StreamARN": f"arn:aws:kinesis:us-west-2:123456789012:stream/{asked['StreamName']}",
                "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": 24,
                "StreamCreationTimestamp": 1_767_225_600,
                "EnhancedMonitoring": [],
                "OpenShardCount": len(self._starts),
                "MaxRecordSizeInKiB": 1_024,
            }
        }


def shard_id(number: int) -> str:
    return f"shardId-{number:012}"
