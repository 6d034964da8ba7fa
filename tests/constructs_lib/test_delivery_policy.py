from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from constructs_lib import DeliveryPolicy, Encryption, EventStream, EventStreamBase, NetworkConditions

Resources = Callable[[str], list[dict[str, Any]]]
ROLE_ARN = "arn:aws:iam::123456789012:role/by-hand"
HERE = "arn:aws:kinesis:us-west-2:123456789012:stream/events"
THERE = "arn:aws:kinesis:eu-west-1:123456789012:stream/events"
KEYS = [f"arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-00000000000{n}" for n in range(2)]


def existing(stack: cdk.Stack, arn: str, key: kms.IKey | None = None) -> EventStreamBase:
    return EventStream.from_stream_attributes(
        stack, f"Stream{len(stack.node.children)}", stream_arn=arn, encryption_key=key
    )


def statements(stack: cdk.Stack, resources: Resources, **props: Any) -> list[dict[str, Any]]:
    """The statements that a role made by hand gets."""
    role = iam.Role.from_role_arn(stack, "Role", ROLE_ARN)
    DeliveryPolicy(stack, "Policy", role=role, **props)
    [policy] = resources("AWS::IAM::ManagedPolicy")
    assert policy["Roles"] == ["by-hand"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


OWN = {
    "Sid": "AskAboutOwnPermissions",
    "Effect": "Allow",
    "Action": "iam:SimulatePrincipalPolicy",
    "Resource": ROLE_ARN,
}


def test_a_role_made_by_hand_gets_delivery_and_nothing_else(stack: cdk.Stack, resources: Resources) -> None:
    assert statements(stack, resources, streams=[existing(stack, HERE)]) == [
        {
            "Sid": "DeliverToStreams",
            "Effect": "Allow",
            "Action": ["kinesis:PutRecord", "kinesis:PutRecords"],
            "Resource": HERE,
        },
        OWN,
    ]
    assert set(Template.from_stack(stack).to_json()["Resources"]) == {"PolicyE08602BD"}


def test_the_shard_map_is_two_actions_more_on_the_same_streams(
    stack: cdk.Stack, resources: Resources
) -> None:
    found = statements(
        stack, resources, streams=[existing(stack, HERE), existing(stack, THERE)], shard_map=True
    )
    assert found == [
        {
            "Sid": "DeliverToStreams",
            "Effect": "Allow",
            "Action": [
                "kinesis:DescribeStreamSummary",
                "kinesis:ListShards",
                "kinesis:PutRecord",
                "kinesis:PutRecords",
            ],
            "Resource": [THERE, HERE],
        },
        OWN,
    ]


def test_each_key_serves_the_streams_that_it_encrypts(stack: cdk.Stack, resources: Resources) -> None:
    first, second = (kms.Key.from_key_arn(stack, f"Key{n}", arn) for n, arn in enumerate(KEYS))
    found = statements(
        stack,
        resources,
        streams=[
            existing(stack, HERE, first),
            existing(stack, THERE, second),
            existing(stack, HERE + "2", first),
        ],
    )
    context = "kms:EncryptionContext:aws:kinesis:arn"
    assert [statement for statement in found if statement["Action"] == "kms:GenerateDataKey"] == [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": "kms:GenerateDataKey",
            "Resource": key,
            "Condition": {"StringEquals": {context: streams}},
        }
        for sid, key, streams in [
            ("EncryptForStreams", KEYS[0], [HERE, HERE + "2"]),
            ("EncryptForStreams1", KEYS[1], [THERE]),
        ]
    ]


def test_a_key_made_for_one_stream_may_serve_another(stack: cdk.Stack, resources: Resources) -> None:
    first = EventStream(stack, "First", encryption=Encryption.CUSTOMER_KEY)
    second = EventStream(stack, "Second", encryption_key=first.encryption_key)
    found = statements(stack, resources, streams=[first, second])
    [key] = [statement for statement in found if statement["Action"] == "kms:GenerateDataKey"]
    assert len(key["Condition"]["StringEquals"]["kms:EncryptionContext:aws:kinesis:arn"]) == 2


def test_either_way_in_is_enough_and_binds_kinesis_alone(stack: cdk.Stack, resources: Resources) -> None:
    network = NetworkConditions(
        vpc_endpoint_ids=["vpce-0a1b2c3d4e5f67890"], source_addresses=["203.0.113.7", "2001:db8::/32"]
    )
    key = kms.Key.from_key_arn(stack, "Key", KEYS[0])
    found = statements(stack, resources, streams=[existing(stack, HERE, key)], network=network)
    conditions = {
        (statement["Sid"], statement["Action"][0]): statement.get("Condition") for statement in found[:2]
    }
    assert conditions == {
        ("DeliverToStreams", "kinesis:PutRecord"): {
            "StringEquals": {"aws:SourceVpce": ["vpce-0a1b2c3d4e5f67890"]}
        },
        ("DeliverToStreams1", "kinesis:PutRecord"): {
            "IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}
        },
    }
    assert [list(statement.get("Condition", {}).get("StringEquals", {})) for statement in found[2:]] == [
        ["kms:EncryptionContext:aws:kinesis:arn"],
        [],
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "network: give vpc_endpoint_ids, source_addresses or both, or leave it out"),
        ({"vpc_endpoint_ids": ["vpc-1"]}, "vpc_endpoint_ids: 'vpc-1' is not allowed; it looks like vpce-"),
        (
            {"source_addresses": ["203.0.113.7/24"]},
            r"source_addresses: '203.0.113.7/24' is not allowed \(.*host",
        ),
        ({"source_addresses": ["office"]}, "source_addresses: 'office' is not allowed"),
        ({"source_addresses": ["0.0.0.0/0"]}, "source_addresses: '0.0.0.0/0' is every address"),
        ({"source_addresses": ["::/0"]}, "source_addresses: '::/0' is every address"),
        ({"source_addresses": ["10.1.0.0/16"]}, "source_addresses: '10.1.0.0/16' is a private address"),
        ({"source_addresses": ["fd00::1"]}, "source_addresses: 'fd00::1' is a private address"),
    ],
)
def test_a_condition_that_no_request_or_every_one_would_meet_is_refused(
    values: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        NetworkConditions(**values)


def test_conditions_known_at_deploy_pass_through(stack: cdk.Stack, resources: Resources) -> None:
    endpoint = cdk.Fn.import_value("endpoint")
    network = NetworkConditions(vpc_endpoint_ids=[endpoint], source_addresses=[endpoint])
    found = statements(stack, resources, streams=[existing(stack, HERE)], network=network)
    assert found[0]["Condition"] == {"StringEquals": {"aws:SourceVpce": [{"Fn::ImportValue": "endpoint"}]}}


def test_a_stream_named_twice_is_refused(stack: cdk.Stack, resources: Resources) -> None:
    with pytest.raises(
        ValueError, match=r"streams: arn:aws:kinesis:.*:stream/events is given more than once"
    ):
        statements(stack, resources, streams=[existing(stack, HERE), existing(stack, HERE)])


def test_more_streams_than_a_policy_has_room_for_are_refused(stack: cdk.Stack, resources: Resources) -> None:
    streams = [existing(stack, f"{HERE}-{number}") for number in range(120)]
    with pytest.raises(
        ValueError, match=r"streams: 120 of them make a policy of [\d,]+ characters; allowed: 6,144"
    ):
        statements(stack, resources, streams=streams)


def test_as_many_streams_as_a_policy_has_room_for_are_accepted(
    stack: cdk.Stack, resources: Resources
) -> None:
    streams = [existing(stack, f"{HERE}-{number}") for number in range(95)]
    [delivery, _] = statements(stack, resources, streams=streams)
    assert len(delivery["Resource"]) == 95
