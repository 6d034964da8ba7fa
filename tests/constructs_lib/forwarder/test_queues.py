"""The queues: always there, encrypted, over TLS alone, and kept as long as SQS keeps anything."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from tests.constructs_lib.forwarder.scene import FLAGS, Scene, new_stack

FOURTEEN_DAYS = 14 * 24 * 60 * 60


@pytest.fixture(params=["overflow_queue", "dead_letter_queue"])
def queue(request: pytest.FixtureRequest, plain: Scene) -> sqs.IQueue:
    found: sqs.IQueue = getattr(plain.forwarder, request.param)
    return found


def properties(plain: Scene, queue: sqs.IQueue) -> dict[str, Any]:
    return plain.properties(queue)


def test_there_are_always_two(plain: Scene) -> None:
    assert len(plain.of_type("AWS::SQS::Queue")) == 2


def test_it_is_kept_for_fourteen_days(plain: Scene, queue: sqs.IQueue) -> None:
    assert properties(plain, queue)["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_it_is_encrypted_with_the_forwarder_s_key(plain: Scene, queue: sqs.IQueue) -> None:
    key = plain.logical_id(plain.forwarder.encryption_key)
    assert properties(plain, queue)["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert properties(plain, queue)["KmsDataKeyReusePeriodSeconds"] == 3_600


def test_it_takes_the_largest_messages_that_sqs_has(plain: Scene, queue: sqs.IQueue) -> None:
    assert properties(plain, queue)["MaximumMessageSize"] == 1_048_576


def test_it_is_reached_by_tls_alone(plain: Scene, queue: sqs.IQueue) -> None:
    own = {"Ref": plain.logical_id(queue)}
    [policy] = [one for one in plain.of_type("AWS::SQS::QueuePolicy").values() if own in one["Queues"]]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sqs:*",
            "Resource": {"Fn::GetAtt": [own["Ref"], "Arn"]},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


@pytest.mark.parametrize("policy", [cdk.RemovalPolicy.RETAIN, cdk.RemovalPolicy.DESTROY])
def test_its_policy_stays_and_goes_with_it(policy: cdk.RemovalPolicy) -> None:
    stack = new_stack({**FLAGS, ALLOW_DESTROY_CONTEXT: True})
    scene = Scene(stack, removal_policy=policy)
    found = {
        (one["DeletionPolicy"], one["UpdateReplacePolicy"])
        for one in scene.resources.values()
        if one["Type"] in ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy")
    }
    assert found == {{"RETAIN": ("Retain", "Retain"), "DESTROY": ("Delete", "Delete")}[policy.name]}


def test_no_message_moves_by_itself_for_an_outage_would_move_all(plain: Scene, queue: sqs.IQueue) -> None:
    assert {"RedrivePolicy", "RedriveAllowPolicy"}.isdisjoint(properties(plain, queue))


def test_it_is_no_fifo_queue_and_holds_nothing_back(plain: Scene, queue: sqs.IQueue) -> None:
    assert {"FifoQueue", "DelaySeconds"}.isdisjoint(properties(plain, queue))
