"""The CDK command line deploys both stacks, shows a change, deploys it, and destroys them again."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.embedded_aws import EmbeddedAws, embedded_aws
from tests.acceptance.cdk_here import NOT_HERE, ROOT, kinds_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ACCOUNT, REGION = "777788889999", "us-west-2"
STREAM, FORWARDER = "headgate-dev-stream", "headgate-dev-forwarder"
SECONDS = 120


@dataclass(frozen=True)
class Cdk:
    """The CDK command line, on an AWS and a directory of environments of its own."""

    aws: EmbeddedAws
    directory: Path

    def __call__(self, command: str, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            ["npx", "--no-install", "cdk", command, "--output", str(self.directory / "cdk.out"), *arguments],
            cwd=ROOT,
            env=self.aws.environment(self.aws.root(ACCOUNT), REGION)
            | {
                "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
                # It keeps what it knows of accounts at home; this account is nobody else's.
                "HOME": str(self.directory),
                "AWS_DEFAULT_REGION": REGION,
                "CDK_VALIDATION": "false",
                "CI": "true",
                # ministack says of every image that it is there, so none is built.
                "CDK_DOCKER": "/nonexistent",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said[-3_000:]
        return said

    def of_app(self, command: str, *arguments: str, status: int = 0) -> str:
        app = f"{ROOT / '.venv/bin/python'} {ROOT / 'tests/acceptance/cdk_here.py'}"
        # ministack does not know Fn::GetStackOutput, which is CloudFormation's younger way.
        strong = "@aws-cdk/core:defaultCrossStackReferences=strong"
        context = ("env=dev", f"environments_dir={self.environments}", strong)
        options = [option for one in context for option in ("--context", one)]
        return self(command, "--app", app, *options, *arguments, status=status)

    @property
    def environments(self) -> Path:
        return self.directory / "environments"

    def change(self, before: str, after: str) -> None:
        file = self.environments / "dev.toml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def client(self, service: str) -> Any:
        return self.aws.client(service, self.aws.root(ACCOUNT), REGION)

    def outputs(self, stack: str) -> dict[str, str]:
        [found] = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}

    def template(self, stack: str) -> dict[str, Any]:
        """What the app itself makes of the environment, with nothing taken out."""
        outdir = self.directory / "whole"
        flags = json.loads((ROOT / "cdk.json").read_text())["context"]
        context = flags | {"env": "dev", "environments_dir": str(self.environments)}
        subprocess.run(
            [ROOT / ".venv/bin/python", ROOT / "app.py"],
            env=os.environ
            | {"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(context), "CDK_VALIDATION": "false"},
            check=True,
            capture_output=True,
        )
        found: dict[str, Any] = json.loads((outdir / f"{stack}.template.json").read_text())
        return found


@pytest.fixture(scope="module")
def cdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdk]:
    directory = tmp_path_factory.mktemp("cdk")
    (directory / "environments").mkdir()
    shutil.copy(ROOT / "environments/dev.toml", directory / "environments")
    with embedded_aws(directory, enforces_iam=False) as aws:
        made = Cdk(aws, directory)
        made("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "")
        yield made


def test_deploy_diff_change_deploy_again_and_destroy(cdk: Cdk) -> None:
    cdk.of_app("deploy", "--all", "--require-approval", "never")
    the_stream_is_there(cdk, retention_hours=24)
    the_forwarder_is_there(cdk, cpu="512", memory="1024")
    all_is_there_that_can_be(cdk)

    assert "Number of stacks with differences: 0" in cdk.of_app("diff", "--all", "--fail")

    cdk.change("shard_count = 1\n", "shard_count = 1\nretention_hours = 48\n")
    cdk.change("min_tasks = 1\n", "min_tasks = 1\ncpu = 1024\nmemory_mib = 2048\n")
    shown = cdk.of_app("diff", "--all", "--fail", status=1)
    assert "RetentionPeriodHours" in shown
    assert "Number of stacks with differences: 2" in shown

    queues = {cdk.outputs(FORWARDER)[name] for name in ("OverflowQueue", "DeadLetterQueue")}
    cdk.of_app("deploy", "--all", "--require-approval", "never")
    the_stream_is_there(cdk, retention_hours=48)
    the_forwarder_is_there(cdk, cpu="1024", memory="2048")
    assert {cdk.outputs(FORWARDER)[name] for name in ("OverflowQueue", "DeadLetterQueue")} == queues

    cdk.of_app("destroy", "--all", "--force")
    nothing_is_left_but_the_log_bucket(cdk, queues)


def the_stream_is_there(cdk: Cdk, *, retention_hours: int) -> None:
    outputs = cdk.outputs(STREAM)
    stream = cdk.client("kinesis").describe_stream_summary(StreamName=outputs["StreamName"])
    assert stream["StreamDescriptionSummary"]["RetentionPeriodHours"] == retention_hours
    role = cdk.client("iam").get_role(RoleName=outputs["RoleAddress"].rsplit("/", 1)[1])["Role"]
    assert "8kf3Qw2LpZ" in json.dumps(role["AssumeRolePolicyDocument"])


def the_forwarder_is_there(cdk: Cdk, *, cpu: str, memory: str) -> None:
    outputs = cdk.outputs(FORWARDER)
    ecs = cdk.client("ecs")
    [cluster] = ecs.list_clusters()["clusterArns"]
    [service] = ecs.describe_services(
        cluster=cluster, services=ecs.list_services(cluster=cluster)["serviceArns"]
    )["services"]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert (definition["cpu"], definition["memory"]) == (cpu, memory)
    [container] = definition["containerDefinitions"]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "65532:65532"
    assert container["stopTimeout"] == 60
    command = dict(zip(container["command"][1::2], container["command"][2::2], strict=True))
    assert command["--sources"] == "secretsmanager://headgate/dev/sources"
    assert command["--overflow-queue"] == outputs["OverflowQueue"]
    assert command["--dead-letter-queue"] == outputs["DeadLetterQueue"]

    sqs = cdk.client("sqs")
    for url in (outputs["OverflowQueue"], outputs["DeadLetterQueue"]):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 3600)
        assert attributes["KmsMasterKeyId"]
        assert "RedrivePolicy" not in attributes
    trusted = cdk.client("iam").get_role(RoleName="headgate-dev-delivery")["Role"]
    assert outputs["RoleAddress"] == trusted["Arn"]
    assert outputs["TaskRole"] in json.dumps(trusted["AssumeRolePolicyDocument"])
    [balancer] = cdk.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == "internal"
    assert balancer["DNSName"] == outputs["LoadBalancerName"]


def all_is_there_that_can_be(cdk: Cdk) -> None:
    """What stands in NOT_HERE is all that is missing of what the app makes."""
    for stack in (STREAM, FORWARDER):
        pages = cdk.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        made = {one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}
        wanted = cdk.template(stack)["Resources"]
        assert made == {name for name, one in wanted.items() if not NOT_HERE & kinds_of(one)}


def nothing_is_left_but_the_log_bucket(cdk: Cdk, queues: set[str]) -> None:
    stacks = cdk.client("cloudformation").describe_stacks()["Stacks"]
    assert {one["StackName"] for one in stacks} == {"CDKToolkit"}
    assert cdk.client("kinesis").list_streams()["StreamNames"] == []
    assert queues.isdisjoint(cdk.client("sqs").list_queues().get("QueueUrls", []))
    buckets = {one["Name"] for one in cdk.client("s3").list_buckets()["Buckets"]}
    assert len([name for name in buckets if not name.startswith("cdk-")]) == 1


@pytest.mark.parametrize("kind", sorted(NOT_HERE))
def test_what_is_on_the_list_cannot_be_made_here_yet(cdk: Cdk, kind: str) -> None:
    """Once it can, this fails, and it is to be taken off the list, so that it is deployed too."""
    resources = cdk.template(FORWARDER)["Resources"].values()
    one = next(one for one in resources if kind in kinds_of(one))
    alone = {"Resources": {"Alone": {"Type": one["Type"], "Properties": _spelt_out(one["Properties"])}}}
    name = "".join(c for c in kind if c.isalnum())
    cloudformation = cdk.client("cloudformation")
    try:
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(alone))
    except ClientError as error:
        assert "Unrecognized resource types" in str(error)  # noqa: PT017 - either form of no is one
        return
    waiter = cloudformation.get_waiter("stack_create_complete")
    with pytest.raises(Exception, match="ROLLBACK"):
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _spelt_out(value: Any) -> Any:
    """Return a value with some text in the place of each reference."""
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::")):
            return "text"
        return {key: _spelt_out(item) for key, item in value.items()}
    return [_spelt_out(item) for item in value] if isinstance(value, list) else value
