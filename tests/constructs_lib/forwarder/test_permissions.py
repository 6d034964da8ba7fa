"""What the task role may do: each action on the resources that it needs."""

from typing import Any

import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.forwarder import ForwarderDestination
from tests.constructs_lib.forwarder.scene import (
    ACCOUNT,
    REGION,
    ROLE_ARN,
    STREAM_ARN,
    Scene,
    new_stack,
    stream,
)


def allowed(scene: Scene) -> dict[str, dict[str, Any]]:
    policy = scene.only("AWS::IAM::ManagedPolicy")
    assert policy["Roles"] == [{"Ref": scene.logical_id(scene.forwarder.task_role)}]
    return {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}


def arn_of(scene: Scene, construct: Any) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [scene.logical_id(construct), "Arn"]}


def test_it_is_five_statements(plain: Scene) -> None:
    assert set(allowed(plain)) == {
        "AssumeDestinationRoles",
        "SpillAndDrain",
        "BuryDeadLetters",
        "EncryptQueues",
        "ReadSettings",
    }


def test_it_assumes_the_roles_of_its_destinations_each_once() -> None:
    stack = new_stack()
    other = "arn:aws:iam::999988887777:role/theirs"
    destinations = [
        ForwarderDestination(stream=stream(stack, f"{STREAM_ARN}{number}"), role_arn=role)
        for number, role in enumerate([ROLE_ARN, other, ROLE_ARN])
    ]
    statement = allowed(Scene(stack, destinations=destinations))["AssumeDestinationRoles"]
    assert (statement["Action"], statement["Resource"]) == ("sts:AssumeRole", [ROLE_ARN, other])


def test_it_spills_and_drains_its_overflow_queue(plain: Scene) -> None:
    statement = allowed(plain)["SpillAndDrain"]
    assert statement["Resource"] == arn_of(plain, plain.forwarder.overflow_queue)
    assert {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"} < set(statement["Action"])


def test_it_writes_dead_letters_and_never_reads_them(plain: Scene) -> None:
    statement = allowed(plain)["BuryDeadLetters"]
    assert statement["Resource"] == arn_of(plain, plain.forwarder.dead_letter_queue)
    assert statement["Action"] == ["sqs:GetQueueAttributes", "sqs:SendMessage"]


def test_it_uses_the_key_through_sqs_alone(plain: Scene) -> None:
    statement = allowed(plain)["EncryptQueues"]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Resource"] == arn_of(plain, plain.forwarder.encryption_key)
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}}


def test_it_reads_its_settings_and_no_secret_whose_name_only_begins_like_theirs(plain: Scene) -> None:
    statement = allowed(plain)["ReadSettings"]
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    # Secrets Manager adds a hyphen and six characters to each name.
    assert statement["Resource"]["Fn::Join"][1][-1] == ":secret:headgate/sources-??????"


@pytest.mark.parametrize("partial", [True, False])
def test_a_secret_known_by_its_arn_is_named_by_it(partial: bool) -> None:
    stack = new_stack()
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:theirs"
    of = secretsmanager.Secret
    secret = (
        of.from_secret_partial_arn(stack, "Theirs", arn)
        if partial
        else of.from_secret_complete_arn(stack, "Theirs", f"{arn}-AbCdEf")
    )
    resource = allowed(Scene(stack, sources=secret))["ReadSettings"]["Resource"]
    assert resource == (f"{arn}-??????" if partial else f"{arn}-AbCdEf")


def test_settings_encrypted_with_a_key_of_one_s_own_can_be_read() -> None:
    stack = new_stack()
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/theirs")
    statements = allowed(Scene(stack, sources=secretsmanager.Secret(stack, "Own", encryption_key=key)))
    assert statements["DecryptSettings"] == {
        "Sid": "DecryptSettings",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key.key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}},
    }


def test_ecs_fetches_the_image_and_writes_the_log_and_nothing_more() -> None:
    scene = Scene(image=None)
    statements = scene.only("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert [one["Action"] for one in statements] == [
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "ecr:GetAuthorizationToken",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
    ]
    assert [one["Resource"] for one in statements].count("*") == 1
