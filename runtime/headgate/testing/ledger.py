"""What the fake was asked and what it accepted, in order: the evidence that a test judges by."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Literal

import msgspec

LedgerMode = Literal["full", "counts"]


class AcceptedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that the fake said yes to."""

    stream: str
    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    request_id: str
    time: float
    """When it was accepted: seconds since 1970 on the fake's clock."""

    @property
    def message_id(self) -> str | None:
        """The `messageId` of data that is a JSON object; None of any other data."""
        try:
            event = json.loads(self.data)
        except ValueError:
            return None
        return event.get("messageId") if isinstance(event, dict) else None


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One request and its outcome; complete once the ledger has it."""

    service: str
    """`kinesis`, `sts` or `iam`."""
    operation: str
    form: str
    """`json`, `cbor` or `query`."""
    request_id: str
    body_bytes: int
    stream: str = ""
    access_key: str = ""
    """The access key ID that signed it."""
    time: float = 0.0
    """When it was answered: seconds since 1970 on the fake's clock."""
    error: str | None = None
    """The code of what refused it as a whole."""
    fault: str | None = None
    """The name of the fault that struck it, delays aside."""
    verdicts: tuple[str | None, ...] = ()
    """Per record of a PutRecords or PutRecord that reached its shards: None, or the error code."""


@dataclass(slots=True)
class ShardTotals:
    """What a shard was offered and what it accepted; bytes are those of data and partition keys."""

    offered_records: int = 0
    offered_bytes: int = 0
    accepted_records: int = 0
    accepted_bytes: int = 0

    def add(self, other: "ShardTotals") -> None:
        """Add another's figures to these."""
        self.offered_records += other.offered_records
        self.offered_bytes += other.offered_bytes
        self.accepted_records += other.accepted_records
        self.accepted_bytes += other.accepted_bytes


class Ledger:
    """All that happened, in order. Every method may be called from any thread, at any time.

    Args:
        mode: `full`, or `counts` to keep totals alone, as a benchmark wants it.
        lock: what guards the fake that writes here.
    """

    def __init__(self, mode: LedgerMode, lock: RLock) -> None:
        self._mode = mode
        self._lock = lock
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records: list[AcceptedRecord] = []
            self._requests: list[LoggedRequest] = []
            self._calls: Counter[str] = Counter()
            self._errors: Counter[str] = Counter()
            self._shards: defaultdict[tuple[str, str], ShardTotals] = defaultdict(ShardTotals)

    @property
    def full(self) -> bool:
        """Whether records and requests are kept."""
        return self._mode == "full"

    # Written by the fake.

    def accept(self, record: AcceptedRecord) -> None:
        """Write one accepted record down; the lock is held."""
        self._records.append(record)

    def count(self, stream: str, by_shard: Mapping[str, ShardTotals]) -> None:
        """Add what one request offered to shards and what they accepted; the lock is held."""
        for shard_id, totals in by_shard.items():
            self._shards[stream, shard_id].add(totals)

    def log(self, request: LoggedRequest) -> None:
        """Write one request down."""
        codes = request.verdicts if request.error is None else (request.error,)
        with self._lock:
            self._calls[request.operation] += 1
            self._errors.update(code for code in codes if code is not None)
            if self.full:
                self._requests.append(request)

    # Read by tests.

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called, STS's and IAM's too: `calls["AssumeRole"]`."""
        with self._lock:
            return self._calls.copy()

    @property
    def errors(self) -> Counter[str]:
        """How often each error code was given, to requests and to single records."""
        with self._lock:
            return self._errors.copy()

    def requests(self, operation: str | None = None) -> list[LoggedRequest]:
        """Return the requests in the order in which they were answered.

        Raises:
            RuntimeError: the ledger only counts.
        """
        with self._lock:
            self._demand_full()
            return [one for one in self._requests if operation in (None, one.operation)]

    def records(self, stream: str | None = None) -> list[AcceptedRecord]:
        """Return the accepted records, of one stream or of all, in the order in which they were accepted.

        Raises:
            RuntimeError: the ledger only counts.
        """
        with self._lock:
            self._demand_full()
            return [record for record in self._records if stream in (None, record.stream)]

    def by_partition_key(self, stream: str | None = None) -> dict[str, list[AcceptedRecord]]:
        """Return each partition key's records, in the order in which they were accepted."""
        by_key: defaultdict[str, list[AcceptedRecord]] = defaultdict(list)
        for record in self.records(stream):
            by_key[record.partition_key].append(record)
        return dict(by_key)

    def by_message_id(self, stream: str | None = None) -> dict[str, list[AcceptedRecord]]:
        """Return each message ID's records; records without one are left out."""
        by_id: defaultdict[str, list[AcceptedRecord]] = defaultdict(list)
        for record in self.records(stream):
            message_id = record.message_id
            if message_id is not None:
                by_id[message_id].append(record)
        return dict(by_id)

    def duplicates(self, stream: str | None = None) -> dict[str, int]:
        """Return how often each message ID was accepted, of those accepted more than once."""
        return {key: len(found) for key, found in self.by_message_id(stream).items() if len(found) > 1}

    @property
    def streams(self) -> set[str]:
        """The streams that were offered records."""
        with self._lock:
            return {name for name, _ in self._shards}

    def shards(self, stream: str) -> dict[str, ShardTotals]:
        """Return each shard's totals by its shard ID."""
        with self._lock:
            return {
                shard_id: ShardTotals(
                    each.offered_records, each.offered_bytes, each.accepted_records, each.accepted_bytes
                )
                for (name, shard_id), each in self._shards.items()
                if name == stream
            }

    def totals(self, stream: str | None = None) -> ShardTotals:
        """Return the totals of a stream, or of all."""
        with self._lock:
            sums = ShardTotals()
            for (name, _), each in self._shards.items():
                if stream in (None, name):
                    sums.add(each)
            return sums

    def _demand_full(self) -> None:
        if not self.full:
            raise RuntimeError("the ledger only counts; make the fake with ledger='full' to look at records")
