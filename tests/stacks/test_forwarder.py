"""One environment's forwarder: wired from its TOML, and tied to its stream by nothing but the stream."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from environments import Environment, load
from headgate.settings.strict_toml import decode
from stacks.forwarder import ForwarderStack
from stacks.stream import StreamStack

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]
LOGICAL_IDS = Path(__file__).with_name("forwarder_logical_ids.json")
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789"
THEIRS = "arn:aws:kinesis:us-west-2:999988887777:stream/theirs"
THEIR_ROLE = "arn:aws:iam::999988887777:role/theirs"

LEAST = f"""
region = "us-west-2"
[stream]
name = "events"
[role]
source_ids = ["abc"]
[forwarder]
domain_name = "events.example.com"
certificate_arn = "{CERTIFICATE}"
sources_secret = "headgate/mine/sources"
source_ids = ["abc", "def"]
"""

WHOLE = f"""
region = "us-west-2"
allow_destroy = true
[existing_stream]
arn = "arn:aws:kinesis:us-west-2:123456789012:stream/events"
encryption_key_arn = "{KEY}"
[role]
source_ids = ["abc"]
[forwarder]
domain_name = "events.example.com"
certificate_arn = "{CERTIFICATE}"
sources_secret = "arn:aws:secretsmanager:us-west-2:123456789012:secret:mine-AbCdEf"
sources_key_arn = "{KEY}"
operators = ["arn:aws:iam::123456789012:role/oncall"]
secret_ids = [{{ secret_name = "segment", json_field = "id", version_id = "v1" }}]
cpu_architecture = "x86_64"
cpu = 2048
memory_mib = 5120
min_tasks = 3
max_tasks = 9
removal_policy = "destroy"
[[forwarder.other_destinations]]
role_address = "{THEIR_ROLE}"
stream = {{ arn = "{THEIRS}", encryption_key_arn = "{KEY}" }}
[forwarder.network]
vpc_id = "vpc-1"
availability_zones = ["us-west-2a", "us-west-2b"]
cidr = "10.9.0.0/16"
task_subnet_ids = ["subnet-1", "subnet-2"]
public_subnet_ids = ["subnet-3", "subnet-4"]
internet_facing = true
allowed_cidrs = ["203.0.113.0/24"]
"""


@dataclass(frozen=True)
class App:
    """Both stacks of one environment, as `app.py` makes them, and their templates."""

    stacks: tuple[StreamStack, ForwarderStack]
    stream: dict[str, Any]
    forwarder: dict[str, Any]

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        found = self.forwarder["Resources"].values()
        return [one.get("Properties", {}) for one in found if one["Type"] == type_]

    def only(self, type_: str) -> dict[str, Any]:
        [properties] = self.of_type(type_)
        return properties

    @property
    def command(self) -> dict[str, Any]:
        [container] = self.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        _, *options = container["Command"]
        return dict(zip(options[::2], options[1::2], strict=True))

    @property
    def trust(self) -> dict[str, Any]:
        """The statement that lets the forwarder assume the role on the environment's stream."""
        roles = self.of_type("AWS::IAM::Role")
        [role] = [one for one in roles if one.get("RoleName", "").endswith("-delivery")]
        statement, *_ = role["AssumeRolePolicyDocument"]["Statement"]
        found: dict[str, Any] = statement
        return found


def make(environment: Environment, name: str = "mine") -> App:
    app = cdk.App(context=FLAGS | {ALLOW_DESTROY_CONTEXT: environment.allow_destroy})
    target = cdk.Environment(region=environment.region)
    stream = StreamStack(app, f"headgate-{name}-stream", environment=environment, env=target)
    assert environment.forwarder is not None
    forwarder = ForwarderStack(
        app,
        f"headgate-{name}-forwarder",
        name=name,
        settings=environment.forwarder,
        event_stream=stream.event_stream,
        env=target,
    )
    templates = [Template.from_stack(stack).to_json() for stack in (stream, forwarder)]
    return App((stream, forwarder), *templates)


def of_toml(text: str) -> App:
    return make(decode(text, Environment, where="test"))


@pytest.fixture(scope="module")
def least() -> App:
    return of_toml(LEAST)


@pytest.fixture(scope="module")
def whole() -> App:
    return of_toml(WHOLE)


@pytest.fixture(scope="module")
def environments() -> dict[str, App]:
    return {name: make(load(name), name) for name in ("dev", "prod")}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_logical_ids_are_a_contract(environments: dict[str, App], name: str) -> None:
    """A new ID is a new resource: an empty queue, a load balancer of another name."""
    resources = environments[name].forwarder["Resources"]
    assert sorted(resources) == json.loads(LOGICAL_IDS.read_text())[name]


def test_the_forwarder_s_role_trusts_it_by_its_name_under_the_source_ids_alone(least: App) -> None:
    account = {"Ref": "AWS::AccountId"}
    assert least.trust["Principal"] == {"AWS": {"Fn::Join": ["", ["arn:aws:iam::", account, ":root"]]}}
    name = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":iam::", account, ":role/headgate-mine-forwarder"],
        ]
    }
    assert least.trust["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": name},
        "StringEquals": {"sts:ExternalId": ["abc", "def"]},
    }


def test_the_task_role_has_that_name(least: App) -> None:
    names = {one.get("RoleName") for one in least.of_type("AWS::IAM::Role")}
    assert {"headgate-mine-forwarder", "headgate-mine-delivery"} <= names


def test_its_role_delivers_into_the_environment_s_stream_and_maps_its_shards(least: App) -> None:
    [policy] = [one for one in least.of_type("AWS::IAM::ManagedPolicy") if "Delivery" in one["Description"]]
    statement = policy["PolicyDocument"]["Statement"][0]
    assert set(statement["Action"]) == {
        "kinesis:PutRecord",
        "kinesis:PutRecords",
        "kinesis:ListShards",
        "kinesis:DescribeStreamSummary",
    }
    assert statement["Resource"] == reference(
        "headgate-mine-stream", "PublishOutputFnGetAttStream46233657Arn356BC865"
    )


def reference(stack: str, output: str) -> dict[str, Any]:
    """How a template names another's output, so that neither stack holds up the other."""
    return {"Fn::GetStackOutput": {"StackName": stack, "Region": "us-west-2", "OutputName": output}}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_stream_s_stack_knows_nothing_of_the_forwarder(environments: dict[str, App], name: str) -> None:
    app = environments[name]
    text = json.dumps(app.stream)
    assert "orwarder" not in text
    assert not any(re.search(rf"headgate-{name}-delivery", one) for one in text.splitlines())
    assert {"Fn::GetStackOutput", "Fn::ImportValue"}.isdisjoint(re.findall(r"Fn::\w+", text))
    alone = cdk.App(context=FLAGS | {ALLOW_DESTROY_CONTEXT: load(name).allow_destroy})
    stream = StreamStack(
        alone, f"headgate-{name}-stream", environment=load(name), env=cdk.Environment(region="us-west-2")
    )
    assert Template.from_stack(stream).to_json()["Resources"] == app.stream["Resources"]


def test_all_that_crosses_is_the_stream_and_its_key(environments: dict[str, App]) -> None:
    crossing = {
        name: set(re.findall(r'"OutputName": "(\w+)"', json.dumps(app.forwarder)))
        for name, app in environments.items()
    }
    stream = "PublishOutputFnGetAttStream46233657Arn356BC865"
    key = "PublishOutputFnGetAttStreamKey238BEC37ArnFC80C9B4"
    name_of_stream = "PublishOutputRefStream46233657CC679FEB"  # what its metrics are called by
    assert crossing == {"dev": {stream, name_of_stream}, "prod": {stream, name_of_stream, key}}
    for name, app in environments.items():
        assert crossing[name] < set(app.stream["Outputs"])


def test_the_outputs_say_where_to_send_and_where_to_look(least: App) -> None:
    outputs = least.forwarder["Outputs"]
    assert set(outputs) == {
        "Url",
        "LoadBalancerName",
        "RoleAddress",
        "TaskRole",
        "OverflowQueue",
        "DeadLetterQueue",
        "Log",
    }
    assert outputs["Url"]["Value"] == "https://events.example.com"
    roles = {name for name, one in least.forwarder["Resources"].items() if one["Type"] == "AWS::IAM::Role"}
    assert {outputs[name]["Value"]["Fn::GetAtt"][0] for name in ("RoleAddress", "TaskRole")} < roles
    assert all(one["Description"] for one in outputs.values())


def test_no_output_is_a_source_id_or_the_settings(least: App) -> None:
    text = json.dumps(least.forwarder["Outputs"])
    assert not re.search(r"abc|def\b|sources", text)


def test_a_stream_of_another_account_is_reached_by_the_role_there(whole: App) -> None:
    policies = whole.of_type("AWS::IAM::ManagedPolicy")
    [of_task] = [one for one in policies if "by a forwarder" in one["Description"]]
    statements = {one["Sid"]: one for one in of_task["PolicyDocument"]["Statement"]}
    theirs, own = statements["AssumeDestinationRoles"]["Resource"]
    assert (list(own), theirs) == (["Fn::GetAtt"], THEIR_ROLE)
    # What may be done there is for the role there to say.
    assert THEIRS not in json.dumps(policies)


def test_through_our_endpoints_a_stream_of_another_account_is_written_as_its_role_alone() -> None:
    other = (
        f'[[forwarder.other_destinations]]\nrole_address = "{THEIR_ROLE}"\nstream = {{ arn = "{THEIRS}" }}\n'
    )
    app = of_toml(LEAST + other)
    [kinesis] = [
        one for one in app.of_type("AWS::EC2::VPCEndpoint") if "kinesis-streams" in str(one["ServiceName"])
    ]
    [statement] = kinesis["PolicyDocument"]["Statement"]
    assert THEIRS in statement["Resource"]
    assert THEIR_ROLE in statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]


def test_every_key_reaches_the_template(whole: App) -> None:
    task = whole.only("AWS::ECS::TaskDefinition")
    assert (task["Cpu"], task["Memory"]) == ("2048", "5120")
    assert task["RuntimePlatform"]["CpuArchitecture"] == "X86_64"
    assert whole.command["--workers"] == "2"
    assert whole.command["--sources"] == (
        "secretsmanager://arn:aws:secretsmanager:us-west-2:123456789012:secret:mine-AbCdEf"
    )
    assert whole.command["--service-name"] == "headgate-mine"
    scaling = whole.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (3, 9)
    assert whole.trust["Condition"]["StringEquals"] == {
        "sts:ExternalId": "{{resolve:secretsmanager:segment:SecretString:id::v1}}"
    }
    balancer = whole.only("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert (balancer["Scheme"], balancer["Subnets"]) == ("internet-facing", ["subnet-3", "subnet-4"])
    service = whole.only("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert service["Subnets"] == ["subnet-1", "subnet-2"]
    assert whole.only("AWS::ElasticLoadBalancingV2::Listener")["Certificates"] == [
        {"CertificateArn": CERTIFICATE}
    ]
    [let_in] = [one for one in whole.of_type("AWS::EC2::SecurityGroup") if "SecurityGroupIngress" in one]
    assert let_in["SecurityGroupIngress"][0]["CidrIp"] == "203.0.113.0/24"
    queues = [one for one in whole.forwarder["Resources"].values() if one["Type"] == "AWS::SQS::Queue"]
    assert {one["DeletionPolicy"] for one in queues} == {"Delete"}


def test_operators_may_assume_the_role_under_the_same_external_ids(whole: App) -> None:
    roles = whole.of_type("AWS::IAM::Role")
    [role] = [one for one in roles if one.get("RoleName", "").endswith("-delivery")]
    forwarder, operators = role["AssumeRolePolicyDocument"]["Statement"]
    assert operators["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/oncall"}
    ids = [each["Condition"]["StringEquals"]["sts:ExternalId"] for each in (forwarder, operators)]
    assert ids[0] == ids[1]


def test_settings_under_a_key_of_their_own_can_be_read(whole: App) -> None:
    policies = [one["PolicyDocument"]["Statement"] for one in whole.of_type("AWS::IAM::ManagedPolicy")]
    [statement] = [one for each in policies for one in each if one.get("Sid") == "DecryptSettings"]
    assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", KEY)
    [via] = statement["Condition"]["StringEquals"].values()
    assert via == "secretsmanager.us-west-2.amazonaws.com"


def test_settings_may_be_in_a_table_that_the_stack_makes() -> None:
    app = of_toml(LEAST.replace('sources_secret = "headgate/mine/sources"', "settings_table = true"))
    [(table_id, table)] = [
        (name, one)
        for name, one in app.forwarder["Resources"].items()
        if one["Type"] == "AWS::DynamoDB::Table"
    ]
    assert table["DeletionPolicy"] == "Retain"
    assert app.command["--sources"] == {"Fn::Join": ["", ["dynamodb://", {"Ref": table_id}]]}
    outputs = app.forwarder["Outputs"]
    assert outputs["SettingsTable"]["Value"] == {"Ref": table_id}
    policy = app.forwarder["Resources"][outputs["SettingsPolicy"]["Value"]["Ref"]]["Properties"]
    assert {each["Sid"] for each in policy["PolicyDocument"]["Statement"]} == {
        "ChangeSettings",
        "UseTableKey",
        "EncryptSecretIds",
    }
    assert "Roles" not in policy
    assert "secretsmanager" not in str(app.forwarder)


def test_nothing_is_warned_of_in_a_vpc_that_is_there(whole: App) -> None:
    Annotations.from_stack(whole.stacks[1]).has_no_warning("*", Match.any_value())


def test_a_vpc_that_is_there_gets_no_endpoint_and_no_subnet(whole: App) -> None:
    types = {one["Type"] for one in whole.forwarder["Resources"].values()}
    assert {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::VPCEndpoint"}.isdisjoint(types)


def test_records_may_be_bound_to_the_endpoint_for_kinesis(environments: dict[str, App]) -> None:
    conditions = {
        name: next(
            one.get("Condition")
            for policy in app.of_type("AWS::IAM::ManagedPolicy")
            for one in policy["PolicyDocument"]["Statement"]
            if one["Sid"] == "DeliverToStreams"
        )
        for name, app in environments.items()
    }
    [endpoint] = conditions["prod"]["StringEquals"]["aws:SourceVpce"]
    resource = environments["prod"].forwarder["Resources"][endpoint["Ref"]]
    assert resource["Properties"]["ServiceName"] == "com.amazonaws.us-west-2.kinesis-streams"
    assert conditions["dev"] is None


def test_a_region_of_its_own_has_its_own_addresses_and_zones(least: App) -> None:
    assert least.only("AWS::EC2::VPC")["CidrBlock"] == "10.0.0.0/16"
    other = of_toml(LEAST + '[forwarder.network]\ncidr = "10.4.0.0/20"\nprivate_delivery = false\n')
    assert other.only("AWS::EC2::VPC")["CidrBlock"] == "10.4.0.0/20"
    assert len(other.of_type("AWS::EC2::NatGateway")) == 2


def test_the_environments_differ_by_their_toml_alone(environments: dict[str, App]) -> None:
    """What is in one and not in the other, each for a key of the files."""
    types = {
        name: [one["Type"] for one in app.forwarder["Resources"].values()]
        for name, app in environments.items()
    }
    only_prod = {type_ for type_ in types["prod"] if types["prod"].count(type_) > types["dev"].count(type_)}
    assert only_prod == {
        # internet_facing: public subnets and a way in from the internet.
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
    }
    assert {one for one in types["dev"] if types["dev"].count(one) > types["prod"].count(one)} == set()


def test_production_keeps_what_waits_and_trial_does_not(environments: dict[str, App]) -> None:
    kept = ("AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::KMS::Key")
    policies = {
        name: {one["DeletionPolicy"] for one in app.forwarder["Resources"].values() if one["Type"] in kept}
        for name, app in environments.items()
    }
    assert policies == {"dev": {"Delete"}, "prod": {"Retain"}}


def test_only_an_environment_open_to_all_says_so(environments: dict[str, App]) -> None:
    groups = {
        name: [
            rule["CidrIp"]
            for one in app.of_type("AWS::EC2::SecurityGroup")
            for rule in one.get("SecurityGroupIngress", ())
        ]
        for name, app in environments.items()
    }
    assert groups == {"dev": ["10.0.0.0/16"], "prod": ["0.0.0.0/0"]}
