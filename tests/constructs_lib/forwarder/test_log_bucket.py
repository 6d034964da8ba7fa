"""The bucket for access logs and flow logs."""

from typing import Any

import pytest

from tests.constructs_lib.forwarder.scene import Scene, new_stack


def statements(scene: Scene) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scene.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    return found


@pytest.fixture(scope="module")
def bare() -> Scene:
    """In an app that sets no feature flag."""
    return Scene(new_stack({}))


def test_nobody_outside_can_be_let_in(plain: Scene) -> None:
    assert set(plain.only("AWS::S3::Bucket")["PublicAccessBlockConfiguration"].values()) == {True}


def test_it_is_encrypted_with_the_one_kind_of_key_that_a_load_balancer_can_write_with(plain: Scene) -> None:
    [rule] = plain.only("AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def test_it_empties_itself_after_ninety_days(plain: Scene) -> None:
    [rule] = plain.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (90, {"NoncurrentDays": 1})
    assert rule["Status"] == "Enabled"


@pytest.mark.parametrize("type_", ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"])
def test_it_stays_with_its_policy_when_its_stack_goes(plain: Scene, type_: str) -> None:
    [one] = [one for one in plain.resources.values() if one["Type"] == type_]
    assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_plain_http_and_old_tls_are_denied(plain: Scene) -> None:
    denied = [one["Condition"] for one in statements(plain) if one["Effect"] == "Deny"]
    assert denied == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": 1.2}},
    ]


@pytest.mark.parametrize("flags", ["plain", "bare"])
def test_its_writers_are_let_in_by_its_policy_whatever_the_flags_of_the_app(
    request: pytest.FixtureRequest, flags: str
) -> None:
    scene: Scene = request.getfixturevalue(flags)
    assert {"AccessControl", "OwnershipControls"}.isdisjoint(scene.only("AWS::S3::Bucket"))
    writers = {
        one["Principal"].get("Service", "an account")
        for one in statements(scene)
        if (one["Effect"], one["Action"]) == ("Allow", "s3:PutObject")
    }
    assert writers == {"logging.s3.amazonaws.com", "delivery.logs.amazonaws.com", "an account"}


def test_the_flow_log_waits_for_its_policy(plain: Scene) -> None:
    [policy] = plain.of_type("AWS::S3::BucketPolicy")
    [log] = [one for one in plain.resources.values() if one["Type"] == "AWS::EC2::FlowLog"]
    assert log["DependsOn"] == [policy]
