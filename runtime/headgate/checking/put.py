"""A put that tells: the event that is sent, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from headgate import __version__
from headgate.checking.answers import NO_SUCH_STREAM, Refused, Written
from headgate.checking.identity import bad_credentials, unreachable
from headgate.checking.outcomes import Outcome, failed, ok, unknown
from headgate.checking.stream import no_stream
from headgate.spec.timestamps import render

PARTITION_KEY = "headgate-check"
DRY_RUN = "DryRunOperationException"
NOT_UNDERSTOOD = frozenset(
    {"SerializationException", "UnknownParameterException", "ValidationException", "InvalidArgumentException"}
)
"""What an endpoint answers that does not know DryRun."""
_BUSY = {"ProvisionedThroughputExceededException", "LimitExceededException"}
_KEY_FAULTS = {
    "KMSAccessDeniedException": (
        "{principal} is not allowed to use the KMS key of {arn}",
        "allow it kms:GenerateDataKey on that key, in its own policy and in the key's",
    ),
    "KMSDisabledException": ("the KMS key of {arn} is disabled", "enable the key"),
    "KMSInvalidStateException": (
        "the KMS key of {arn} is in a state in which it cannot be used",
        "cancel the key's deletion, or import its material again",
    ),
    "KMSNotFoundException": (
        "the KMS key of {arn} is gone",
        "encrypt the stream with a key that exists, in the stream's region",
    ),
    "KMSOptInRequired": ("the account of {arn} cannot use KMS", "subscribe the account to KMS"),
}


@dataclass(frozen=True, slots=True)
class MarkedEvent:
    """A test event that says what it is, for a stream that real consumers read."""

    message_id: str
    data: bytes


def marked_event(message_id: str, now: datetime) -> MarkedEvent:
    """Return a track call named `Headgate Check`, of the anonymous user `headgate-check`.

    Args:
        message_id: its messageId, by which it is found again.
        now: when it is sent, in UTC.
    """
    event = {
        "type": "track",
        "event": "Headgate Check",
        "anonymousId": PARTITION_KEY,
        "messageId": message_id,
        "timestamp": msgspec.Raw(render(now)),
        "properties": {"test": True},
        "context": {"library": {"name": "headgate check", "version": __version__}},
    }
    return MarkedEvent(message_id, msgspec.json.encode(event))


def written(event: MarkedEvent, where: Written, found: bool | Refused) -> Outcome:
    """Return what it means that a record was written.

    Args:
        event: what was put.
        where: what Kinesis answered.
        found: whether it was read back as it was put; or why nobody could read.
    """
    what = (
        f"this test event was written: messageId {event.message_id}, partition key {PARTITION_KEY}, "
        f"{len(event.data)} bytes, {where.shard_id}, sequence number {where.sequence_number}"
    )
    if found is True:
        return ok(f"{what}; and read back")
    if isinstance(found, Refused):
        why = (
            "no permission to kinesis:GetShardIterator and kinesis:GetRecords" if found.denied else found.text
        )
        return ok(f"{what}; it could not be read back: {why}")
    return failed(f"{what}; but it was not found there again", "read the shard with: headgate tail STREAM")


def refused(
    answer: Refused, principal: str, arn: str, alone: Written | Refused | None, *, encrypted: bool
) -> Outcome:
    """Return what it means that a put was refused.

    Args:
        answer: what was said.
        principal: who put.
        arn: of the stream.
        alone: what PutRecord said where PutRecords was denied.
        encrypted: whether a KMS key is known to encrypt the stream.
    """
    code = answer.code
    if code == DRY_RUN:
        beyond = "; whether the KMS key can be used a DryRun is not documented to tell" if encrypted else ""
        return ok(f"PutRecords would succeed (DryRun); nothing was written{beyond}")
    if not answer.answered:
        return unreachable(answer, "kinesis-streams", arn.split(":")[3])
    if (wrong := bad_credentials(answer)) is not None:
        return wrong
    if code == NO_SUCH_STREAM:
        return no_stream(arn)
    if code in _KEY_FAULTS:
        what, fix = _KEY_FAULTS[code]
        return failed(f"{what.format(principal=principal, arn=arn)} ({code})", fix)
    if answer.denied:
        return _denied(answer, principal, arn, alone)
    if code in _BUSY:
        return failed(
            f"{arn} is at its limits ({code})", "run it again; if that stays, add shards or go on demand"
        )
    return unknown(f"PutRecords was not accepted now: {answer.text}", "run it again")


def _denied(answer: Refused, principal: str, arn: str, alone: Written | Refused | None) -> Outcome:
    said = f": {answer.because}" if answer.because else ""
    if isinstance(alone, Written):
        note = (
            f"; kinesis:PutRecord is allowed, and wrote a test event: {alone.shard_id}, sequence number "
            f"{alone.sequence_number}"
        )
    elif alone is not None and alone.code == DRY_RUN:
        note = "; kinesis:PutRecord is allowed, and nothing was written"
    else:
        note = ""
    return failed(
        f"{principal} is not allowed kinesis:PutRecords on {arn}{said}{note}",
        "allow kinesis:PutRecords and kinesis:PutRecord there, or correct stream_name or region",
    )


def same_event(event: MarkedEvent, record: Mapping[str, Any]) -> bool:
    """Return whether a record that was read is the one that was put."""
    return (record["Data"], record["PartitionKey"]) == (event.data, PARTITION_KEY)
