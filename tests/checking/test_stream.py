"""What Kinesis and IAM said of a stream, and what it means."""

from typing import Any

import pytest

from headgate.checking.answers import Refused
from headgate.checking.outcomes import Outcome
from headgate.checking.stream import described, key, key_context, key_to_ask, not_described, permissions

ROLE = "arn:aws:iam::111122223333:role/writer"
ARN = "arn:aws:kinesis:us-west-2:111122223333:stream/events"
KEY = "arn:aws:kms:us-west-2:999988887777:key/1234abcd"
PUT_RECORD, PUT_RECORDS = "kinesis:PutRecord", "kinesis:PutRecords"


def summary(**more: Any) -> dict[str, Any]:
    return {
        "StreamName": "events",
        "StreamStatus": "ACTIVE",
        "OpenShardCount": 1,
        "EncryptionType": "NONE",
    } | more


def simulated(decision: str = "allowed", *actions: str, **more: Any) -> dict[str, dict[str, Any]]:
    return {action: {"EvalDecision": decision, **more} for action in actions or (PUT_RECORD, PUT_RECORDS)}


@pytest.mark.parametrize(
    ("more", "state", "said"),
    [
        ({}, "ok", "ACTIVE, provisioned, 1 open shard, not encrypted by KMS"),
        (
            {"OpenShardCount": 4, "MaxRecordSizeInKiB": 10240},
            "ok",
            "4 open shards, records of up to 10,240 KiB",
        ),
        ({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}, "ok", "on demand"),
        ({"StreamStatus": "UPDATING"}, "ok", "UPDATING"),
        ({"EncryptionType": "KMS", "KeyId": KEY}, "ok", f"encrypted with {KEY}"),
        ({"StreamStatus": "CREATING"}, "failed", "wait"),
        ({"StreamStatus": "DELETING"}, "failed", "takes no records"),
    ],
)
def test_a_summary_is_said_on_one_line(more: dict[str, Any], state: str, said: str) -> None:
    outcome = described(summary(**more))
    assert outcome.state == state
    assert said in outcome.line


@pytest.mark.parametrize(
    ("refused", "state", "said"),
    [
        (
            Refused("ResourceNotFoundException", ""),
            "failed",
            "no stream 'events' in us-west-2 of account 1111",
        ),
        (Refused("AccessDeniedException", ""), "unknown", "kinesis:DescribeStreamSummary"),
        (Refused("ConnectTimeoutError", "too late", answered=False), "failed", "kinesis-streams"),
        (Refused("ExpiredTokenException", ""), "failed", "have expired"),
        (Refused("LimitExceededException", "Rate exceeded"), "unknown", "Rate exceeded"),
    ],
)
def test_a_stream_that_could_not_be_looked_at_is_wrong_only_where_that_is_certain(
    refused: Refused, state: str, said: str
) -> None:
    outcome = not_described(refused, ARN)
    assert outcome.state == state
    assert said in outcome.line


def test_a_stream_of_that_name_elsewhere_is_told() -> None:
    outcome = not_described(Refused("ResourceNotFoundException", ""), ARN, ["eu-west-1", "us-east-1"])
    assert outcome.fix == "set region to eu-west-1 or us-east-1, or make the stream"


@pytest.mark.parametrize(
    ("results", "state", "said"),
    [
        (simulated(), "ok", "kinesis:PutRecord and kinesis:PutRecords allowed"),
        (simulated("implicitDeny"), "failed", "not allowed kinesis:PutRecord and kinesis:PutRecords"),
        (simulated("explicitDeny"), "failed", "by a Deny in one of its policies"),
        (simulated() | simulated("implicitDeny", PUT_RECORDS), "failed", "records go one by one"),
        (simulated() | simulated("implicitDeny", PUT_RECORD), "failed", "not allowed kinesis:PutRecord on"),
        (simulated("allowed", PUT_RECORDS), "unknown", "was not told"),
        ({}, "unknown", "was not told"),
        (simulated(MissingContextValues=["aws:SourceVpce"]), "unknown", "aws:SourceVpce"),
        (
            simulated("implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            "failed",
            "by an SCP of its organization",
        ),
        (
            simulated(
                "implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False}
            ),
            "failed",
            "in its permissions boundary",
        ),
        (Refused("AccessDenied", ""), "unknown", "no permission to iam:SimulatePrincipalPolicy"),
        (Refused("InvalidAction", "no operation"), "unknown", "InvalidAction: no operation"),
    ],
)
def test_what_iam_does_not_say_is_unknown_and_never_denied(results: Any, state: str, said: str) -> None:
    outcome = permissions(results, ROLE, ARN, seen=True)
    assert outcome.state == state
    assert said in outcome.line


def test_a_stream_that_was_not_seen_may_be_the_wrong_one() -> None:
    for seen in (True, False):
        line = permissions(simulated("implicitDeny"), ROLE, ARN, seen=seen).line
        assert ("correct stream_name or region" in line) is not seen


@pytest.mark.parametrize(
    ("of", "state", "said"),
    [
        (None, "unknown", "cannot be told from here"),
        (summary(), "ok", "no KMS key"),
        (summary(EncryptionType="KMS", KeyId="alias/aws/kinesis"), "ok", "needs no permission"),
        (
            summary(EncryptionType="KMS", KeyId="arn:aws:kms:us-west-2:1:alias/aws/kinesis"),
            "ok",
            "no permission",
        ),
        (summary(EncryptionType="KMS", KeyId="alias/events"), "unknown", "alias/events is an alias"),
    ],
)
def test_a_key_that_nobody_has_to_be_asked_of_is_told(of: Any, state: str, said: str) -> None:
    outcome = key_to_ask(of, ARN)
    assert isinstance(outcome, Outcome)
    assert outcome.state == state
    assert said in outcome.line


@pytest.mark.parametrize(
    ("key_id", "arn"),
    [(KEY, KEY), ("1234abcd", "arn:aws:kms:us-west-2:111122223333:key/1234abcd")],
)
def test_a_key_is_asked_of_by_its_arn(key_id: str, arn: str) -> None:
    assert key_to_ask(summary(EncryptionType="KMS", KeyId=key_id), ARN) == arn


def test_a_key_is_used_by_kinesis_for_this_stream() -> None:
    assert key_context(ARN) == {
        "kms:ViaService": "kinesis.us-west-2.amazonaws.com",
        "kms:EncryptionContext:aws:kinesis:arn": ARN,
        "kms:CallerAccount": "111122223333",
    }


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (simulated("allowed", "kms:GenerateDataKey"), "ok"),
        (simulated("implicitDeny", "kms:GenerateDataKey"), "failed"),
        (simulated("allowed", "kms:GenerateDataKey", MissingContextValues=["kms:X"]), "unknown"),
        ({}, "unknown"),
        (Refused("AccessDenied", ""), "unknown"),
    ],
)
def test_the_use_of_a_key_is_allowed_denied_or_unknown(results: Any, state: str) -> None:
    assert key(results, ROLE, KEY).state == state


@pytest.mark.parametrize(
    ("denied", "more", "state"),
    [
        ("implicitDeny", {}, "ok"),
        ("implicitDeny", {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "unknown"),
        ("implicitDeny", {"Principal": {"AWS": "111122223333"}}, "failed"),
        ("explicitDeny", {}, "failed"),
    ],
)
def test_a_keys_own_policy_may_allow_what_the_roles_do_not(denied: str, more: Any, state: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:GenerateDataKey"} | more
    results = simulated(denied, "kms:GenerateDataKey")
    assert key(results, ROLE, KEY, {"Statement": statement}).state == state
    assert key(results, ROLE, KEY, Refused("AccessDeniedException", "")).state == "failed"
