"""The test event, and what the answer to it means."""

import json
from datetime import UTC, datetime

import pytest

from headgate.checking.answers import Refused, Written
from headgate.checking.put import PARTITION_KEY, marked_event, refused, same_event, written

ROLE = "arn:aws:iam::111122223333:role/writer"
ARN = "arn:aws:kinesis:us-west-2:111122223333:stream/events"
EVENT = marked_event("headgate-check-1", datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
WHERE = Written("shardId-000000000001", "4957")
DRY_RUN = Refused("DryRunOperationException", "Request would have succeeded")


def test_the_event_is_a_track_call_that_says_what_it_is() -> None:
    event = json.loads(EVENT.data)
    assert (event["type"], event["event"], event["messageId"]) == (
        "track",
        "Headgate Check",
        "headgate-check-1",
    )
    assert event["timestamp"] == "2026-11-24T12:30:00.000Z"
    assert event["anonymousId"] == PARTITION_KEY


def test_a_record_is_the_events_own_only_with_the_same_data_and_key() -> None:
    assert same_event(EVENT, {"Data": EVENT.data, "PartitionKey": PARTITION_KEY})
    assert not same_event(EVENT, {"Data": b"{}", "PartitionKey": PARTITION_KEY})
    assert not same_event(EVENT, {"Data": EVENT.data, "PartitionKey": "another"})


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (True, "ok", "and read back"),
        (False, "failed", "was not found there again"),
        (Refused("AccessDeniedException", ""), "ok", "no permission to kinesis:GetShardIterator"),
        (Refused("InternalFailure", "trouble"), "ok", "could not be read back: InternalFailure: trouble"),
    ],
)
def test_what_was_written_is_said_exactly(found: bool | Refused, state: str, said: str) -> None:
    outcome = written(EVENT, WHERE, found)
    assert outcome.state == state
    for told in ("headgate-check-1", PARTITION_KEY, f"{len(EVENT.data)} bytes", *WHERE.__slots__, said):
        assert getattr(WHERE, told, told) in outcome.line


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (DRY_RUN, "ok", "nothing was written"),
        (Refused("ResourceNotFoundException", ""), "failed", "there is no stream 'events' in us-west-2"),
        (Refused("KMSAccessDeniedException", ""), "failed", "kms:GenerateDataKey"),
        (Refused("KMSDisabledException", ""), "failed", "enable the key"),
        (Refused("KMSInvalidStateException", ""), "failed", "cancel the key's deletion"),
        (Refused("KMSNotFoundException", ""), "failed", "is gone"),
        (Refused("KMSOptInRequired", ""), "failed", "KMS"),
        (Refused("ProvisionedThroughputExceededException", ""), "failed", "at its limits"),
        (Refused("LimitExceededException", ""), "failed", "at its limits"),
        (Refused("KMSThrottlingException", "slower"), "unknown", "slower"),
        (Refused("InternalFailure", "trouble"), "unknown", "trouble"),
        (Refused("ExpiredTokenException", ""), "failed", "have expired"),
        (Refused("EndpointConnectionError", "no way", answered=False), "failed", "no answer from Kinesis"),
        (Refused("AccessDeniedException", ""), "failed", "not allowed kinesis:PutRecords"),
    ],
)
def test_every_refusal_is_told(answer: Refused, state: str, said: str) -> None:
    outcome = refused(answer, ROLE, ARN, None, encrypted=False)
    assert outcome.state == state
    assert said in outcome.line


def test_what_a_dry_run_does_not_tell_of_the_key_is_said() -> None:
    assert "KMS" not in refused(DRY_RUN, ROLE, ARN, None, encrypted=False).line
    assert "KMS key" in refused(DRY_RUN, ROLE, ARN, None, encrypted=True).line


@pytest.mark.parametrize(
    ("alone", "said"),
    [
        (DRY_RUN, "kinesis:PutRecord is allowed, and nothing was written"),
        (WHERE, "kinesis:PutRecord is allowed, and wrote a test event: shardId-000000000001"),
        (Refused("AccessDeniedException", ""), "fix: allow kinesis:PutRecords and kinesis:PutRecord"),
    ],
)
def test_where_put_records_is_denied_put_record_is_told_too(alone: Written | Refused, said: str) -> None:
    answer = Refused("AccessDeniedException", "")
    assert said in refused(answer, ROLE, ARN, alone, encrypted=False).line
