from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from constructs_lib import Encryption, EventStream, ShardCapacity
from constructs_lib.removal import ALLOW_DESTROY_CONTEXT

Resources = Callable[[str], list[dict[str, Any]]]
ON_DEMAND = kinesis.StreamMode.ON_DEMAND
KEY_ARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs"


def test_by_default_one_shard_a_day_of_records_and_the_key_that_aws_manages(
    stack: cdk.Stack, resources: Resources
) -> None:
    stream = EventStream(stack, "Events")
    assert resources("AWS::Kinesis::Stream") == [
        {
            "RetentionPeriodHours": 24,
            "ShardCount": 1,
            "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        }
    ]
    assert stream.region == "us-west-2"
    assert stream.shard_count == 1


def test_every_prop_reaches_the_template(stack: cdk.Stack, resources: Resources) -> None:
    EventStream(
        stack,
        "Events",
        stream_name="events",
        capacity=ShardCapacity.for_load(events_per_second=2500, average_event_bytes=100),
        retention_period=cdk.Duration.days(365),
        max_record_kib=10_240,
        encryption=Encryption.NONE,
        shard_level_metrics=[
            kinesis.ShardLevelMetrics.INCOMING_BYTES,
            kinesis.ShardLevelMetrics.INCOMING_RECORDS,
        ],
    )
    assert resources("AWS::Kinesis::Stream") == [
        {
            "Name": "events",
            "RetentionPeriodHours": 8760,
            "ShardCount": 3,
            "MaxRecordSizeInKiB": 10240,
            "DesiredShardLevelMetrics": ["IncomingBytes", "IncomingRecords"],
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        }
    ]


def test_on_demand_has_no_shard_count_and_may_be_warm(stack: cdk.Stack, resources: Resources) -> None:
    stream = EventStream(stack, "Events", stream_mode=ON_DEMAND, warm_throughput_mibps=100)
    [properties] = resources("AWS::Kinesis::Stream")
    assert properties["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert properties["WarmThroughputMiBps"] == 100
    assert "ShardCount" not in properties
    assert stream.shard_count is None


def test_a_customer_key_is_new_and_rotates(stack: cdk.Stack, resources: Resources) -> None:
    EventStream(stack, "Events", encryption=Encryption.CUSTOMER_KEY)
    [key] = resources("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    [stream] = resources("AWS::Kinesis::Stream")
    assert stream["StreamEncryption"]["KeyId"] == {"Fn::GetAtt": ["EventsKey1BC2C457", "Arn"]}


def test_an_existing_key_is_used_as_it_is(stack: cdk.Stack, resources: Resources) -> None:
    EventStream(stack, "Events", encryption_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN))
    [stream] = resources("AWS::Kinesis::Stream")
    assert stream["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": KEY_ARN}
    assert resources("AWS::KMS::Key") == []


def test_stream_and_key_are_kept_when_their_stack_goes(stack: cdk.Stack) -> None:
    EventStream(stack, "Events", encryption=Encryption.CUSTOMER_KEY)
    template = Template.from_stack(stack).to_json()
    assert {
        (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for resource in template["Resources"].values()
    } == {("Retain", "Retain")}


@pytest.mark.parametrize("yes", [True, "true"])
def test_destroying_takes_two_opt_ins(yes: bool | str) -> None:
    stack = cdk.Stack(cdk.App(context={ALLOW_DESTROY_CONTEXT: yes}), "Test")
    EventStream(stack, "Events", removal_policy=cdk.RemovalPolicy.DESTROY)
    Template.from_stack(stack).has_resource("AWS::Kinesis::Stream", {"DeletionPolicy": "Delete"})


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"shard_count": 0}, "shard_count: 0 is not allowed; it must be a whole number, 1 or more"),
        ({"shard_count": 1.5}, "shard_count: 1.5 is not allowed"),
        ({"shard_count": "3"}, "shard_count: '3' is not allowed"),
        ({"shard_count": True}, "shard_count: True is not allowed"),
        (
            {"shard_count": 2, "capacity": ShardCapacity(shard_count=2, bound_by="records")},
            "shard_count and capacity cannot be given together",
        ),
        (
            {"shard_count": 2, "stream_mode": ON_DEMAND},
            "shard_count: an on-demand stream sets none; leave it out, or have the stream provisioned",
        ),
        (
            {"capacity": ShardCapacity(shard_count=2, bound_by="records"), "stream_mode": ON_DEMAND},
            "capacity: an on-demand stream sets none",
        ),
        ({"warm_throughput_mibps": 5}, "warm_throughput_mibps: 5 is for an on-demand stream only"),
        (
            {"warm_throughput_mibps": 10_241, "stream_mode": ON_DEMAND},
            "warm_throughput_mibps: 10241 is not allowed; it must be a whole number of MiB, from 1 to 10,240",
        ),
        (
            {"retention_period": cdk.Duration.hours(23)},
            "retention_period: 23 hours are not allowed; it must be whole hours, from 24 to 8,760",
        ),
        ({"retention_period": cdk.Duration.hours(8761)}, "retention_period: 8761 hours are not allowed"),
        ({"retention_period": cdk.Duration.minutes(1470)}, r"retention_period: 24\.5 hours are not allowed"),
        (
            {"max_record_kib": 1023},
            "max_record_kib: 1023 is not allowed; it must be a whole number of KiB, from 1,024 to 10,240",
        ),
        ({"max_record_kib": 10_241}, "max_record_kib: 10241 is not allowed"),
        ({"stream_name": "a b"}, "stream_name: 'a b' is not allowed; it must be 1 to 128 letters"),
        ({"stream_name": ""}, "stream_name: '' is not allowed"),
        ({"stream_name": "x" * 129}, "stream_name: 'x+' is not allowed"),
        ({"encryption": "aws"}, "encryption: 'aws' is not allowed; allowed: managed, customer_key, none"),
        (
            {
                "shard_level_metrics": [
                    kinesis.ShardLevelMetrics.ALL,
                    kinesis.ShardLevelMetrics.INCOMING_BYTES,
                ]
            },
            "shard_level_metrics: ALL, INCOMING_BYTES is not allowed; ALL stands alone",
        ),
        (
            {"shard_level_metrics": [kinesis.ShardLevelMetrics.INCOMING_BYTES] * 2},
            "shard_level_metrics: INCOMING_BYTES, INCOMING_BYTES repeats a metric",
        ),
        (
            {"removal_policy": cdk.RemovalPolicy.DESTROY},
            'needs a second opt-in: set the context key "headgate:allow-destroy" to true',
        ),
        ({"removal_policy": cdk.RemovalPolicy.SNAPSHOT}, "removal_policy: SNAPSHOT is not for streams"),
    ],
)
def test_what_cannot_be_is_refused_at_synth(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        EventStream(stack, "Events", **props)
    assert "\n" not in str(raised.value)


def test_a_key_goes_with_no_other_encryption(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
    with pytest.raises(ValueError, match="encryption_key: a key goes with encryption customer_key, not none"):
        EventStream(stack, "Events", encryption=Encryption.NONE, encryption_key=key)


def test_an_alias_is_no_key(stack: cdk.Stack) -> None:
    alias = kms.Alias.from_alias_name(stack, "Alias", "alias/events")
    with pytest.raises(ValueError, match="is not the ARN of a key"):
        EventStream(stack, "Events", encryption_key=alias)
    with pytest.raises(ValueError, match="is not the ARN of a key"):
        EventStream.from_stream_attributes(stack, "Old", stream_arn=STREAM_ARN, encryption_key=alias)


def test_tokens_pass_through(stack: cdk.Stack, resources: Resources) -> None:
    number = cdk.CfnParameter(stack, "Number", type="Number", default=2)
    text = cdk.CfnParameter(stack, "Text", default="x")
    EventStream(
        stack,
        "Events",
        stream_name=text.value_as_string,
        shard_count=number.value_as_number,  # type: ignore[arg-type]
        max_record_kib=number.value_as_number,  # type: ignore[arg-type]
        retention_period=cdk.Duration.hours(number.value_as_number),
    )
    [properties] = resources("AWS::Kinesis::Stream")
    assert properties["Name"] == {"Ref": "Text"}
    for name in ("ShardCount", "MaxRecordSizeInKiB", "RetentionPeriodHours"):
        assert properties[name] == {"Ref": "Number"}


def test_an_existing_stream_is_named_and_nothing_is_made(stack: cdk.Stack) -> None:
    stream = EventStream.from_stream_attributes(stack, "Theirs", stream_arn=STREAM_ARN)
    assert (stream.stream_name, stream.region, stream.stream_arn) == ("theirs", "eu-west-1", STREAM_ARN)
    assert Template.from_stack(stack).to_json().get("Resources") is None


@pytest.mark.parametrize(
    "arn", ["theirs", "arn:aws:kinesis:eu-west-1:1234:stream/theirs", KEY_ARN, STREAM_ARN + "/consumer/c:1"]
)
def test_what_is_no_stream_is_refused(stack: cdk.Stack, arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a stream; it looks like arn:aws:kinesis:"):
        EventStream.from_stream_attributes(stack, "Theirs", stream_arn=arn)


def test_the_arn_of_an_existing_stream_may_be_known_at_deploy_only(stack: cdk.Stack) -> None:
    arn = cdk.Fn.import_value("their-stream")
    stream = EventStream.from_stream_attributes(stack, "Theirs", stream_arn=arn)
    assert stack.resolve(stream.region) == {
        "Fn::Select": [3, {"Fn::Split": [":", cdk_import("their-stream")]}]
    }
    assert stack.resolve(stream.stream_name) == {
        "Fn::Select": [
            1,
            {"Fn::Split": ["/", {"Fn::Select": [5, {"Fn::Split": [":", cdk_import("their-stream")]}]}]},
        ]
    }


def cdk_import(name: str) -> dict[str, str]:
    return {"Fn::ImportValue": name}


def test_grant_delivery_allows_delivery_and_its_key_and_nothing_else(
    stack: cdk.Stack, resources: Resources
) -> None:
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
    stream = EventStream.from_stream_attributes(stack, "Old", stream_arn=STREAM_ARN, encryption_key=key)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountPrincipal("123456789012"))
    assert stream.grant_delivery(role).success
    [policy] = resources("AWS::IAM::Policy")
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["kinesis:PutRecord", "kinesis:PutRecords"],
            "Resource": STREAM_ARN,
        },
        {
            "Effect": "Allow",
            "Action": "kms:GenerateDataKey",
            "Resource": KEY_ARN,
            "Condition": {"StringEquals": {"kms:EncryptionContext:aws:kinesis:arn": [STREAM_ARN]}},
        },
    ]


def test_a_grant_that_would_grant_nothing_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match=r"grantee: .* make a DestinationRole that trusts it"):
        EventStream(stack, "Events").grant_delivery(iam.AccountPrincipal("210987654321"))


def test_metrics_are_sums_over_a_minute_of_this_stream(stack: cdk.Stack) -> None:
    stream = EventStream.from_stream_attributes(stack, "Theirs", stream_arn=STREAM_ARN)
    metric = stream.metric_put_records_throttled_records()
    assert (metric.namespace, metric.metric_name) == ("AWS/Kinesis", "PutRecords.ThrottledRecords")
    assert (metric.statistic, metric.period.to_seconds()) == ("Sum", 60)
    assert metric.dimensions == {"StreamName": "theirs"}


def test_every_metric_is_one_that_kinesis_publishes(stack: cdk.Stack) -> None:
    stream = EventStream.from_stream_attributes(stack, "Theirs", stream_arn=STREAM_ARN)
    made = {name: getattr(stream, name)() for name in dir(stream) if name.startswith("metric_")}
    # CDK's methods of the same name say what CloudWatch calls each.
    assert {name: metric.metric_name for name, metric in made.items()} == {
        name: getattr(stream.stream, name)().metric_name for name in made
    }
    assert made["metric_get_records_iterator_age_milliseconds"].statistic == "Maximum"
    assert made["metric_put_records_latency"].statistic == "p99"
    assert (
        stream.metric_incoming_bytes(statistic="Maximum", period=cdk.Duration.hours(1)).statistic == "Maximum"
    )
