"""What changes in a template when the settings do: never more than has to, and nothing is replaced."""

import copy
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, Encryption, EventStream, NetworkConditions, segment_principal

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


def template(role: dict[str, Any] | None = None, stream: dict[str, Any] | None = None) -> Any:
    stack = cdk.Stack(cdk.App(context=FLAGS), "Test", env=cdk.Environment(region="us-west-2"))
    events = EventStream(stack, "Events", **{"encryption": Encryption.CUSTOMER_KEY, **(stream or {})})
    ids = {} if role and "secret_ids" in role else {"source_ids": ["one", "two"]}
    DestinationRole(stack, "Role", **{"streams": [events], **ids, **(role or {})})
    return Template.from_stack(stack).to_json()["Resources"]


def changes(before: Any, after: Any, path: str = "") -> set[str]:
    """The paths at which two templates differ, down to the properties of resources."""
    if before == after:
        return set()
    if isinstance(before, dict) and isinstance(after, dict) and path.count("/") < 3:
        return {
            change
            for key in before.keys() | after.keys()
            for change in changes(before.get(key), after.get(key), f"{path}/{key}")
        }
    return {path}


BASE = template()
LOGICAL_IDS = {resource["Type"]: logical_id for logical_id, resource in BASE.items()}


def test_the_logical_ids_are_a_contract() -> None:
    assert LOGICAL_IDS == {
        "AWS::KMS::Key": "EventsKey1BC2C457",
        "AWS::Kinesis::Stream": "Events948F067E",
        "AWS::IAM::Role": "Role11E5256C",
        "AWS::IAM::ManagedPolicy": "RolePolicyA6D2CA68",
    }


@pytest.mark.parametrize(
    ("role", "changed"),
    [
        ({"source_ids": ["one", "two", "three"]}, "AssumeRolePolicyDocument"),
        ({"source_ids": ["two"]}, "AssumeRolePolicyDocument"),
        ({"secret_ids": ["one"]}, "AssumeRolePolicyDocument"),
        (
            {"secret_ids": [cdk.SecretValue.secrets_manager("id", version_id="next")]},
            "AssumeRolePolicyDocument",
        ),
        ({"whole_account": True}, "AssumeRolePolicyDocument"),
        (
            {"principals": [segment_principal(), cdk.aws_iam.AccountPrincipal("123456789012")]},
            "AssumeRolePolicyDocument",
        ),
    ],
)
def test_who_may_write_is_in_the_trust_policy_alone(role: dict[str, Any], changed: str) -> None:
    assert changes(BASE, template(role)) == {f"/{LOGICAL_IDS['AWS::IAM::Role']}/Properties/{changed}"}


POLICY_DOCUMENT = f"/{LOGICAL_IDS['AWS::IAM::ManagedPolicy']}/Properties/PolicyDocument"


def test_what_a_writer_may_do_is_in_the_policy_alone() -> None:
    assert changes(BASE, template({"shard_map": True})) == {POLICY_DOCUMENT}


def test_a_policy_of_put_record_alone_gains_put_records_in_place() -> None:
    old = copy.deepcopy(BASE)
    statement = old[LOGICAL_IDS["AWS::IAM::ManagedPolicy"]]["Properties"]["PolicyDocument"]["Statement"][0]
    assert statement["Action"] == ["kinesis:PutRecord", "kinesis:PutRecords"]
    statement["Action"] = "kinesis:PutRecord"
    assert changes(old, BASE) == {POLICY_DOCUMENT}


def test_another_stream_changes_the_policy_alone() -> None:
    stack = cdk.Stack(cdk.App(context=FLAGS), "Test", env=cdk.Environment(region="us-west-2"))
    streams = [
        EventStream(stack, "Events", encryption=Encryption.CUSTOMER_KEY),
        EventStream.from_stream_attributes(
            stack, "More", stream_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/more"
        ),
    ]
    DestinationRole(stack, "Role", streams=streams, source_ids=["one", "two"])
    after = Template.from_stack(stack).to_json()["Resources"]
    assert changes(BASE, after) == {POLICY_DOCUMENT}


def test_a_network_condition_changes_the_policy_alone() -> None:
    own = [cdk.aws_iam.AccountPrincipal("123456789012")]
    before = template({"principals": own})
    network = NetworkConditions(source_addresses=["203.0.113.0/24"])
    assert changes(before, template({"principals": own, "network": network})) == {POLICY_DOCUMENT}


@pytest.mark.parametrize(
    ("stream", "changed"),
    [
        ({"shard_count": 4}, {"ShardCount"}),
        ({"retention_period": cdk.Duration.days(7)}, {"RetentionPeriodHours"}),
        ({"max_record_kib": 2048}, {"MaxRecordSizeInKiB"}),
        ({"shard_level_metrics": [cdk.aws_kinesis.ShardLevelMetrics.ALL]}, {"DesiredShardLevelMetrics"}),
        (
            {"stream_mode": cdk.aws_kinesis.StreamMode.ON_DEMAND},
            {"ShardCount", "StreamModeDetails"},
        ),
    ],
)
def test_a_stream_changes_in_place(stream: dict[str, Any], changed: set[str]) -> None:
    # Of a stream's properties, only a change of Name makes CloudFormation replace it.
    logical_id = LOGICAL_IDS["AWS::Kinesis::Stream"]
    assert changes(BASE, template(stream=stream)) == {f"/{logical_id}/Properties/{name}" for name in changed}


def test_the_policies_do_not_depend_on_the_flags_of_an_app() -> None:
    bare = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region="us-west-2"))
    events = EventStream(bare, "Events", encryption=Encryption.CUSTOMER_KEY)
    DestinationRole(bare, "Role", streams=[events], source_ids=["one", "two"])
    assert changes(BASE, Template.from_stack(bare).to_json()["Resources"]) <= {
        f"/{LOGICAL_IDS['AWS::KMS::Key']}/Properties/KeyPolicy"  # names the partition, or not
    }
