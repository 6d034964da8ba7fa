"""What goes out and what comes back, whatever the form on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from headgate.delivery.wire.faults import Fault, Verdict


class WireRecord(Protocol):
    """What the wire needs of a record."""

    @property
    def data(self) -> bytes:
        """The record's data."""

    @property
    def partition_key(self) -> str:
        """Its partition key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of each record of a request; indexes are those of the records in it."""

    failed: Mapping[int, str]
    """The error code of each record that was not accepted; empty when all were."""
    shard_ids: Sequence[str | None]
    """The shard that took each record; None for one that failed."""


class Entry(msgspec.Struct, rename="pascal", gc=False):
    """One record's part of a PutRecords answer."""

    error_code: str | None = None
    shard_id: str | None = None


class PutRecordsAnswer(msgspec.Struct, rename="pascal"):
    """The members of a PutRecords answer that count."""

    records: list[Entry]
    failed_record_count: int | None = None

    def judged(self, sent: int) -> Answer | Fault:
        """Return what became of `sent` records.

        A record is in only when its entry names its shard and no error. Where the answer contradicts itself,
        nothing is known of any record.
        """
        if len(self.records) != sent:
            return bad_answer(f"it has {len(self.records)} entries for {sent} records")
        shard_ids = [entry.shard_id for entry in self.records]
        failed = {
            index: entry.error_code or "NoShardId"
            for index, entry in enumerate(self.records)
            if entry.error_code or entry.shard_id is None
        }
        if (self.failed_record_count or 0) > len(failed):
            return bad_answer(f"it counts {self.failed_record_count} failed records and names {len(failed)}")
        for index in failed:
            shard_ids[index] = None
        return Answer(failed, shard_ids)


class PutRecordAnswer(msgspec.Struct, rename="pascal"):
    """The member of a PutRecord answer that counts."""

    shard_id: str

    def judged(self) -> Answer:
        """Return that the one record is in."""
        return Answer({}, (self.shard_id,))


def bad_answer(why: str) -> Fault:
    """Return the fault of a request whose answer tells of no record what became of it."""
    return Fault(Verdict.RETRY, "BadAnswer", f"the answer does not fit the request: {why}")
