"""The CDK command line deploys both stacks, shows a change, deploys it, and destroys them again.

The commands run once, in a story for each environment; each test looks at what there was after one of them.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.embedded_aws import embedded_aws
from tests.acceptance.account import Account, look
from tests.acceptance.cdk_cli import CdkCli
from tests.acceptance.cdk_here import NOT_HERE, kinds_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ACCOUNT, REGION = "777788889999", "us-west-2"
STREAM, FORWARDER = "headgate-dev-stream", "headgate-dev-forwarder"
PROD_STREAM, PROD_FORWARDER = "headgate-prod-stream", "headgate-prod-forwarder"
SECRETS = {
    "headgate/dev/sources": "the settings of dev",
    "headgate/prod/sources": "the settings of prod",
    "headgate/prod/segment-secret-id": "opaque-secret-id",
}
SOURCE_ID = "8kf3Qw2LpZ"
DEPLOY = ("--all", "--require-approval", "never")


@pytest.fixture(scope="module")
def cdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CdkCli]:
    """An account that was bootstrapped, and that has the secrets which the environments name."""
    directory = tmp_path_factory.mktemp("cdk")
    with embedded_aws(directory, enforces_iam=False) as aws:
        made = CdkCli(aws, ACCOUNT, REGION, directory)
        for name, text in SECRETS.items():
            made.client("secretsmanager").create_secret(Name=name, SecretString=text)
        made("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "")
        yield made


@dataclass(frozen=True)
class Dev:
    """The environment dev: its stream alone, both stacks, a change, and its end."""

    outputs_file: dict[str, dict[str, str]]
    stream_alone: Account
    deploying: str
    deployed: Account
    whole: dict[str, dict[str, Any]]
    same: str
    shown: str
    changed: Account
    destroyed: Account


@pytest.fixture(scope="module")
def dev(cdk: CdkCli) -> Dev:
    outputs = cdk.directory / "outputs.json"
    cdk("deploy", STREAM, *cdk.of("dev"), *DEPLOY[1:], "--outputs-file", str(outputs))
    stream_alone = look(cdk.client)
    deploying = cdk.here("deploy", "dev", *DEPLOY)
    deployed = look(cdk.client)
    whole = {stack: cdk.whole(stack)["Resources"] for stack in (STREAM, FORWARDER)}
    same = cdk.here("diff", "dev", "--fail")
    cdk.change("dev", ("shard_count = 1\n", "shard_count = 1\nretention_hours = 48\n"))
    cdk.change("dev", ("min_tasks = 1\n", "min_tasks = 1\ncpu = 2048\nmemory_mib = 4096\n"))
    shown = cdk.here("diff", "dev", "--fail", status=1)
    cdk.here("deploy", "dev", *DEPLOY)
    changed = look(cdk.client)
    cdk.here("destroy", "dev", "--all", "--force")
    return Dev(
        outputs_file=json.loads(outputs.read_text(encoding="utf-8")),
        stream_alone=stream_alone,
        deploying=deploying,
        deployed=deployed,
        whole=whole,
        same=same,
        shown=shown,
        changed=changed,
        destroyed=look(cdk.client),
    )


@dataclass(frozen=True)
class Prod:
    """The environment prod, and what is left of it."""

    deployed: Account
    whole: dict[str, dict[str, Any]]
    destroyed: Account


@pytest.fixture(scope="module")
def prod(cdk: CdkCli, dev: Dev) -> Prod:  # after dev, so that each looks at itself alone
    cdk.here("deploy", "prod", *DEPLOY)
    deployed = look(cdk.client)
    whole = {stack: cdk.whole(stack)["Resources"] for stack in (PROD_STREAM, PROD_FORWARDER)}
    cdk.here("destroy", "prod", "--all", "--force")
    return Prod(deployed, whole, look(cdk.client))


@pytest.fixture(scope="module")
def with_nat(cdk: CdkCli) -> dict[str, Any]:
    """What the app makes of prod with NAT gateways in the place of endpoints; all else of it is deployed."""
    text = (cdk.environments / "prod.toml").read_text(encoding="utf-8")
    (cdk.environments / "nat.toml").write_text(
        text.replace("bind_to_endpoint = true", "private_delivery = false"), encoding="utf-8"
    )
    cdk.here("synth", "nat", "--quiet")
    found: dict[str, Any] = cdk.whole("headgate-nat-forwarder")["Resources"]
    return found


def container_of(account: Account) -> dict[str, Any]:
    [definition] = account.task_definitions
    [container] = definition["containerDefinitions"]
    found: dict[str, Any] = container
    return found


def options(container: dict[str, Any]) -> dict[str, str]:
    """The options of the container's command line."""
    program, *rest = container["command"]
    assert program == "serve"
    return dict(zip(rest[::2], rest[1::2], strict=True))


def url_of(account: Account, output: str) -> str:
    """A queue of the stack, under the host name that SQS itself lists it by."""
    [url] = [
        each for each in account.queues if each.endswith(name_of(account.stacks[FORWARDER].outputs[output]))
    ]
    return url


def name_of(url_or_arn: str) -> str:
    return url_or_arn.rsplit("/", 1)[1]


# dev, its stream alone


def test_the_stream_s_stack_is_deployed_with_the_app_as_it_is(dev: Dev) -> None:
    assert set(dev.stream_alone.stacks) == {"CDKToolkit", STREAM}
    summary = dev.stream_alone.streams["headgate-dev-events"]
    assert (summary["OpenShardCount"], summary["RetentionPeriodHours"]) == (1, 24)
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}


def test_its_outputs_are_written_as_the_user_asked(dev: Dev) -> None:
    outputs = dev.outputs_file[STREAM]
    assert outputs == dev.stream_alone.stacks[STREAM].outputs
    assert (outputs["StreamName"], outputs["StreamRegion"]) == ("headgate-dev-events", REGION)
    assert name_of(outputs["RoleAddress"]) in dev.stream_alone.roles


def test_its_role_trusts_segment_under_the_external_id_and_may_write_to_the_stream(dev: Dev) -> None:
    [role] = dev.stream_alone.roles.values()
    [trust] = role.trust
    assert trust["Principal"] == {"AWS": "arn:aws:iam::595280932656:role/customer-kinesis-access"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": SOURCE_ID}}
    [deliver, _] = role.statements
    assert deliver["Resource"] == dev.stream_alone.streams["headgate-dev-events"]["StreamARN"]
    assert deliver["Action"] == ["kinesis:PutRecord", "kinesis:PutRecords"]


def test_it_is_the_same_beside_the_forwarder(dev: Dev) -> None:
    assert f"{STREAM} (no changes)" in dev.deploying


# dev, both stacks


@pytest.mark.parametrize("stack", [STREAM, FORWARDER])
def test_all_of_dev_is_made_but_what_is_on_the_list(dev: Dev, stack: str) -> None:
    all_is_made(dev.deployed, stack, dev.whole[stack])


@pytest.mark.parametrize("stack", [PROD_STREAM, PROD_FORWARDER])
def test_all_of_prod_is_made_but_what_is_on_the_list(prod: Prod, stack: str) -> None:
    all_is_made(prod.deployed, stack, prod.whole[stack])


def all_is_made(account: Account, stack: str, whole: dict[str, Any]) -> None:
    made = account.stacks[stack]
    assert set(made.resources) == {name for name, one in whole.items() if not NOT_HERE & kinds_of(one)}
    last = dict(made.events)
    assert {last[name] for name in made.resources} == {"CREATE_COMPLETE"}


def test_with_nat_gateways_there_is_nothing_more_to_make(
    dev: Dev, prod: Prod, with_nat: dict[str, Any]
) -> None:
    tried = {one["Type"] for story in (dev, prod) for whole in story.whole.values() for one in whole.values()}
    assert {one["Type"] for one in with_nat.values()} - tried == {"AWS::EC2::EIP", "AWS::EC2::NatGateway"}


def test_the_service_is_made_when_all_that_its_tasks_need_is_there(dev: Dev) -> None:
    happened = dev.deployed.stacks[FORWARDER].events
    whole = dev.whole[FORWARDER]
    [service] = [name for name, one in whole.items() if one["Type"] == "AWS::ECS::Service"]
    before = happened[: happened.index((service, "CREATE_IN_PROGRESS"))]
    needed = {
        name
        for name, one in whole.items()
        if one["Type"]
        in (
            "AWS::IAM::Policy",
            "AWS::IAM::ManagedPolicy",
            "AWS::EC2::VPCEndpoint",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::ElasticLoadBalancingV2::Listener",
        )
    }
    assert len(needed) == 3 + 9 + 2 + 1
    assert needed <= {name for name, status in before if status == "CREATE_COMPLETE"}


def test_the_forwarder_s_own_role_trusts_the_task_role_by_name_under_the_external_id(dev: Dev) -> None:
    outputs, roles = dev.deployed.stacks[FORWARDER].outputs, dev.deployed.roles
    [trust] = roles["headgate-dev-delivery"].trust
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert trust["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": outputs["TaskRole"]},
        "StringEquals": {"sts:ExternalId": SOURCE_ID},
    }
    assert outputs["TaskRole"] == f"arn:aws:iam::{ACCOUNT}:role/headgate-dev-forwarder"
    deliver = roles["headgate-dev-delivery"].statements[0]
    # The stream's own ARN, out of the other stack.
    assert deliver["Resource"] == dev.deployed.streams["headgate-dev-events"]["StreamARN"]


def test_the_tasks_are_trusted_as_tasks_of_this_account_and_may_assume_that_role(dev: Dev) -> None:
    [definition] = dev.deployed.task_definitions
    for arn in (definition["taskRoleArn"], definition["executionRoleArn"]):
        [trust] = dev.deployed.roles[name_of(arn)].trust
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    of_task = dev.deployed.roles[name_of(definition["taskRoleArn"])]
    [assume] = [one for one in of_task.statements if one["Action"] == "sts:AssumeRole"]
    assert assume["Resource"] == dev.deployed.stacks[FORWARDER].outputs["RoleAddress"]
    of_execution = dev.deployed.roles[name_of(definition["executionRoleArn"])]
    assert any("ecr:BatchGetImage" in one["Action"] for one in of_execution.statements)


def test_the_task_runs_as_nobody_and_writes_nothing(dev: Dev) -> None:
    container = container_of(dev.deployed)
    assert (container["readonlyRootFilesystem"], container["privileged"]) == (True, False)
    assert (container["user"], container["stopTimeout"]) == ("65532:65532", 60)
    # ministack leaves out linuxParameters and healthCheck; tests/constructs_lib/forwarder has them.
    [definition] = dev.deployed.task_definitions
    assert (definition["cpu"], definition["memory"], definition["networkMode"]) == ("512", "1024", "awsvpc")
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert f"{ACCOUNT}.dkr.ecr.{REGION}." in container["image"]


def test_the_task_is_told_where_its_queues_and_its_settings_are(dev: Dev) -> None:
    outputs, told = dev.deployed.stacks[FORWARDER].outputs, options(container_of(dev.deployed))
    assert told["--overflow-queue"] == outputs["OverflowQueue"]
    assert told["--dead-letter-queue"] == outputs["DeadLetterQueue"]
    assert told["--sources"] == "secretsmanager://headgate/dev/sources"
    assert told["--public-url"] == outputs["Url"] == "https://events.dev.example.com"


def test_both_queues_are_encrypted_kept_for_two_weeks_and_moved_by_nobody(dev: Dev) -> None:
    outputs = ("OverflowQueue", "DeadLetterQueue")
    assert {url_of(dev.deployed, one) for one in outputs} == set(dev.deployed.queues)
    for attributes in dev.deployed.queues.values():
        assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 60 * 60)
        assert name_of(attributes["KmsMasterKeyId"]) in dev.deployed.keys
        assert "RedrivePolicy" not in attributes
        [deny] = json.loads(attributes["Policy"])["Statement"]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_service_runs_the_task_behind_the_load_balancer(dev: Dev) -> None:
    [service], [definition] = dev.deployed.services, dev.deployed.task_definitions
    [group], [listener], [balancer] = (
        dev.deployed.target_groups,
        dev.deployed.listeners,
        dev.deployed.load_balancers,
    )
    assert service["taskDefinition"] == definition["taskDefinitionArn"]
    assert service["launchType"] == "FARGATE"
    [target] = service["loadBalancers"]
    assert (target["targetGroupArn"], target["containerPort"]) == (group["TargetGroupArn"], 8080)
    deployment = service["deploymentConfiguration"]
    assert deployment["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert deployment["minimumHealthyPercent"] == 100
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["DefaultActions"][0]["TargetGroupArn"] == group["TargetGroupArn"]
    assert balancer["Scheme"] == "internal"
    assert balancer["DNSName"] == dev.deployed.stacks[FORWARDER].outputs["LoadBalancerName"]
    assert balancer["access_logs.s3.bucket"] in dev.deployed.buckets
    assert group["deregistration_delay.timeout_seconds"] == "15"
    assert group["HealthCheckPath"] == "/healthz"


def test_the_tasks_reach_aws_through_endpoints_alone(dev: Dev) -> None:
    names = (
        "kinesis-streams",
        "sts",
        "sqs",
        "secretsmanager",
        "logs",
        "ecr.api",
        "ecr.dkr",
        "s3",
        "dynamodb",
    )
    assert set(dev.deployed.endpoints) == {f"com.amazonaws.{REGION}.{name}" for name in names}
    [service] = dev.deployed.services
    subnets = set(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"])
    for one in dev.deployed.endpoints.values():
        assert one["VpcEndpointType"] == "Gateway" or set(one["SubnetIds"]) == subnets


def test_the_log_is_kept_and_encrypted(dev: Dev) -> None:
    log = dev.deployed.log_groups[dev.deployed.stacks[FORWARDER].outputs["Log"]]
    assert log["retentionInDays"] == 90
    assert name_of(log["kmsKeyId"]) in dev.deployed.keys
    assert container_of(dev.deployed)["logConfiguration"]["options"]["awslogs-group"] == log["logGroupName"]


def test_a_secret_is_read_and_never_touched(dev: Dev, prod: Prod) -> None:
    assert {name: text for name, (text, _) in prod.destroyed.secrets.items()} == SECRETS
    assert prod.destroyed.secrets == dev.stream_alone.secrets


# dev, a change


def test_nothing_differs_right_after_a_deployment(dev: Dev) -> None:
    assert "Number of stacks with differences: 0" in dev.same


def test_a_change_is_shown_before_it_is_deployed(dev: Dev) -> None:
    assert "Number of stacks with differences: 2" in dev.shown
    shown = set(re.findall(r"^\[([-+~])\] (AWS::\S+)", dev.shown, re.MULTILINE))
    assert shown == {("~", "AWS::Kinesis::Stream"), ("~", "AWS::ECS::TaskDefinition")}
    for before, after in (("24", "48"), ("512", "2048"), ("1024", "4096")):
        assert re.search(rf"\[-\] {before}\n.*\[\+\] {after}$", dev.shown, re.MULTILINE), dev.shown


def test_a_change_is_deployed(dev: Dev) -> None:
    assert dev.changed.streams["headgate-dev-events"]["RetentionPeriodHours"] == 48
    [service] = dev.changed.services
    [definition] = [
        one for one in dev.changed.task_definitions if one["taskDefinitionArn"] == service["taskDefinition"]
    ]
    assert (definition["cpu"], definition["memory"]) == ("2048", "4096")
    assert options(definition["containerDefinitions"][0])["--workers"] == "2"


def test_a_change_replaces_nothing_but_the_task_definition(dev: Dev) -> None:
    replaced = {
        dev.whole[stack][name]["Type"]
        for stack in (STREAM, FORWARDER)
        for name, physical in dev.deployed.stacks[stack].resources.items()
        if dev.changed.stacks[stack].resources[name] != physical
    }
    assert replaced == {"AWS::ECS::TaskDefinition"}
    assert set(dev.changed.queues) == set(dev.deployed.queues)


# The end


def test_nothing_is_left_of_dev_but_its_logs_in_their_bucket(dev: Dev) -> None:
    left = dev.destroyed
    assert set(left.stacks) == {"CDKToolkit"}
    assert (left.streams, left.roles, left.queues, left.log_groups) == ({}, {}, {}, {})
    assert (left.services, left.load_balancers, left.target_groups, left.endpoints) == ([], [], [], {})
    assert "Enabled" not in left.keys.values()
    assert list(left.buckets) == list(dev.deployed.buckets)


def test_the_records_of_prod_outlive_its_stacks_with_all_that_reads_and_guards_them(prod: Prod) -> None:
    there, left = prod.deployed, prod.destroyed
    assert set(left.stacks) == {"CDKToolkit"}
    assert set(left.streams) == {"headgate-prod-events"}
    assert left.queues == there.queues
    assert len(left.queues) == 2
    assert all(json.loads(each["Policy"])["Statement"] for each in left.queues.values())
    assert left.log_groups.keys() == there.log_groups.keys()
    assert [state for key, state in left.keys.items() if there.keys[key] == "Enabled"] == ["Enabled"] * 2
    assert left.buckets == there.buckets
    assert all(left.buckets.values())
    # All else is gone.
    assert (left.roles, left.services, left.endpoints, left.load_balancers) == ({}, [], {}, [])


def test_the_load_balancer_of_prod_cannot_be_deleted_by_mistake(prod: Prod) -> None:
    # A real one has to be unprotected before `cdk destroy`; ministack deletes it all the same.
    [balancer] = prod.deployed.load_balancers
    assert balancer["deletion_protection.enabled"] == "true"
    assert balancer["Scheme"] == "internet-facing"


# The list


@pytest.mark.parametrize("kind", sorted(NOT_HERE))
def test_what_is_on_the_list_cannot_be_made_here_yet(
    cdk: CdkCli, dev: Dev, with_nat: dict[str, Any], kind: str
) -> None:
    resources = (*dev.whole[FORWARDER].values(), *with_nat.values())
    one = next(one for one in resources if kind in kinds_of(one))
    alone = {"Resources": {"Alone": {"Type": one["Type"], "Properties": spelt_out(one["Properties"])}}}
    refusal = refusal_of(cdk.client("cloudformation"), re.sub(r"\W", "", kind), json.dumps(alone))
    assert refusal, f"the embedded AWS can make {kind} now: take it off NOT_HERE"
    type_, _, property_ = kind.partition(".")
    assert type_ in refusal
    assert re.search(
        rf"{property_}\b.* is not supported" if property_ else "Unrecognized resource types", refusal
    )


def refusal_of(cloudformation: Any, name: str, template: str) -> str | None:
    """Why a stack of a template cannot be made; None if it can."""
    try:
        cloudformation.create_stack(StackName=name, TemplateBody=template)
    except ClientError as error:
        return str(error)
    deadline = time.monotonic() + 60
    while (status := cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]).endswith(
        "_IN_PROGRESS"
    ):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    if status == "CREATE_COMPLETE":
        return None
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return next(
        f"{one['ResourceType']}: {one['ResourceStatusReason']}"
        for one in events
        if one["ResourceStatus"] == "CREATE_FAILED"
    )


def spelt_out(value: Any) -> Any:
    """Return a value with some text in the place of each reference."""
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::")):
            return "text"
        return {key: spelt_out(item) for key, item in value.items()}
    return [spelt_out(item) for item in value] if isinstance(value, list) else value
