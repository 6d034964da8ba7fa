import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from environments import Environment, load
from headgate.settings.strict_toml import decode
from stacks.stream import StreamStack

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

WHOLE = f"""
region = "us-west-2"
[stream]
name = "events"
on_demand = true
warm_throughput_mibps = 20
retention_hours = 48
max_record_kib = 2048
encryption = "customer_key"
encryption_key_arn = "{KEY}"
shard_level_metrics = ["IteratorAgeMilliseconds"]
[role]
principals = ["123456789012", "arn:aws:iam::123456789012:role/forwarder"]
secret_ids = [
  {{ secret_name = "segment", json_field = "id", version_id = "v1" }},
  {{ secret_name = "segment", json_field = "id", version_id = "v2" }},
]
shard_map = true
network = {{ vpc_endpoint_ids = ["vpce-0a1b2c3d4e5f67890"], source_addresses = ["203.0.113.0/24"] }}
name = "writer"
path = "/writers/"
permissions_boundary_arn = "arn:aws:iam::123456789012:policy/edge"
max_trust_policy_length = 4096
[[role.other_streams]]
arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/more"
encryption_key_arn = "{KEY}2"
"""


def make(environment: Environment) -> StreamStack:
    app = cdk.App(context=FLAGS | {ALLOW_DESTROY_CONTEXT: environment.allow_destroy})
    return StreamStack(app, "Test", environment=environment, env=cdk.Environment(region=environment.region))


def of_toml(text: str) -> StreamStack:
    return make(decode(text, Environment, where="test"))


def resources(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json().get("Resources", {})
    return found


def only(stack: cdk.Stack, type_: str) -> dict[str, Any]:
    [resource] = [resource for resource in resources(stack).values() if resource["Type"] == type_]
    properties: dict[str, Any] = resource["Properties"]
    return properties


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_logical_ids_of_outputs_and_resources_are_a_contract(name: str) -> None:
    stack = make(load(name))
    assert set(Template.from_stack(stack).to_json()["Outputs"]) == {
        "RoleAddress",
        "StreamRegion",
        "StreamName",
    }
    expected = {"Stream46233657", "Role11E5256C", "RolePolicyA6D2CA68"}
    assert set(resources(stack)) == expected | ({"StreamKey238BEC37"} if name == "prod" else set())


def test_the_outputs_are_what_segment_asks_for() -> None:
    outputs = Template.from_stack(make(load("dev"))).to_json()["Outputs"]
    assert {name: output["Value"] for name, output in outputs.items()} == {
        "RoleAddress": {"Fn::GetAtt": ["Role11E5256C", "Arn"]},
        "StreamRegion": "us-west-2",
        "StreamName": {"Ref": "Stream46233657"},
    }


def test_production_keeps_its_records_and_trial_does_not() -> None:
    policies = {
        name: {
            resource["DeletionPolicy"]
            for resource in resources(make(load(name))).values()
            if resource["Type"] in ("AWS::Kinesis::Stream", "AWS::KMS::Key")
        }
        for name in ("prod", "dev")
    }
    assert policies == {"prod": {"Retain"}, "dev": {"Delete"}}


def test_no_action_has_a_wildcard_and_no_statement_every_resource() -> None:
    for environment in (load("dev"), load("prod"), decode(WHOLE, Environment, where="test")):
        document = only(make(environment), "AWS::IAM::ManagedPolicy")["PolicyDocument"]
        assert "*" not in json.dumps(document)


def test_every_key_reaches_the_template() -> None:
    stack = of_toml(WHOLE)
    assert only(stack, "AWS::Kinesis::Stream") == {
        "Name": "events",
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        "WarmThroughputMiBps": 20,
        "RetentionPeriodHours": 48,
        "MaxRecordSizeInKiB": 2048,
        "StreamEncryption": {"EncryptionType": "KMS", "KeyId": KEY},
        "DesiredShardLevelMetrics": ["IteratorAgeMilliseconds"],
    }
    role = only(stack, "AWS::IAM::Role")
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"]["AWS"] == [
        "arn:aws:iam::123456789012:role/forwarder",
        "arn:aws:iam::123456789012:root",
    ]
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == [
        f"{{{{resolve:secretsmanager:segment:SecretString:id::{version}}}}}" for version in ("v1", "v2")
    ]
    assert (role["RoleName"], role["Path"]) == ("writer", "/writers/")
    assert role["PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/edge"
    statements = only(stack, "AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    assert [(one["Sid"], list(one.get("Condition", {}))) for one in statements] == [
        ("DeliverToStreams", ["StringEquals"]),
        ("DeliverToStreams1", ["IpAddress"]),
        ("EncryptForStreams", ["StringEquals"]),
        ("EncryptForStreams1", ["StringEquals"]),
        ("AskAboutOwnPermissions", []),
    ]
    assert "kinesis:ListShards" in statements[0]["Action"]
    assert "arn:aws:kinesis:eu-west-1:123456789012:stream/more" in statements[0]["Resource"]


def test_the_shards_of_a_load_are_computed() -> None:
    stack = of_toml(
        'region = "us-west-2"\n[role]\nsource_ids = ["abc"]\n'
        "[stream.load]\nevents_per_second = 2000\naverage_event_bytes = 900\npeak_factor = 2\nheadroom = 1.25"
    )
    assert only(stack, "AWS::Kinesis::Stream")["ShardCount"] == 5


def test_an_existing_stream_gets_a_role_and_is_not_made() -> None:
    stack = of_toml(
        'region = "us-west-2"\n[role]\nsource_ids = ["abc"]\nprincipals = ["segment-account"]\n'
        '[existing_stream]\narn = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs"\n'
        f'encryption_key_arn = "{KEY}"'
    )
    assert {resource["Type"] for resource in resources(stack).values()} == {
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
    }
    outputs = Template.from_stack(stack).to_json()["Outputs"]
    assert (outputs["StreamRegion"]["Value"], outputs["StreamName"]["Value"]) == ("eu-west-1", "theirs")
    [statement] = only(stack, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::595280932656:root"}


def test_many_sources_are_split_and_synth_tells_which_uses_which() -> None:
    ids = [f"source{number:04}" for number in range(200)]
    stack = of_toml(
        f'region = "us-west-2"\n[role]\nsplit = true\nsource_ids = {json.dumps(ids)}\n'
        'retired_source_ids = ["source0001"]'
    )
    template = Template.from_stack(stack)
    assert set(template.to_json()["Outputs"]) == {"RoleAddress", "RoleAddress2", "StreamRegion", "StreamName"}
    template.resource_count_is("AWS::IAM::Role", 2)
    annotations = Annotations.from_stack(stack)
    annotations.has_info(
        "*", Match.string_like_regexp("RoleAddress is the Role Address of .* source0000, source0002,")
    )
    annotations.has_info("*", Match.string_like_regexp("RoleAddress2 is the Role Address of .* source0199$"))
    # The source IDs themselves stand in the trust policies alone.
    assert "source0000" not in json.dumps(template.to_json()["Outputs"])


def test_destroying_takes_two_keys() -> None:
    text = 'region = "us-west-2"\n[role]\nsource_ids = ["abc"]\n[stream]\nremoval_policy = "destroy"'
    with pytest.raises(ValueError, match="needs a second opt-in"):
        of_toml(text)
    stack = of_toml("allow_destroy = true\n" + text)
    Template.from_stack(stack).has_resource("AWS::Kinesis::Stream", {"DeletionPolicy": "Delete"})
