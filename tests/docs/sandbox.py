"""A place in which the commands of a document run one after the other, as its reader would type them.

AWS is ministack, and the fake for Kinesis, STS and IAM; the forwarder that was deployed runs on this machine.
What is rewritten of a command is listed here, and nothing else is: its port, or where it answers.
"""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from demo.embedded_aws import EmbeddedAws, embedded_aws
from demo.forwarder import HEADGATE
from demo.processes import free_port
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.origin import Origin
from headgate.settings.schema import Destination, Source
from headgate.settings.write_keys import shown
from headgate.testing import FakeKinesis
from tests.acceptance.serving import serving
from tests.examples.synthesis import ROOT
from tests.settings.table.in_moto import make_table
from tests.testing.asking import boto3_client

REGION, ACCOUNT = "us-west-2", "123456789012"
STREAMS = ("events", "headgate-dev-events")
MESSAGE_ID = "5c0e7e2c-8f0a-4a51-9d8c-0d9e7a1c2b3a"
DEADLINE = 60
SOURCES = re.findall(
    r"```toml\n(\[\[sources\]\].*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)[0]
HERE = ROOT / "tests/docs"
TABLES = ("headgate-settings", "THE_OUTPUT_SettingsTable")
AWSCLI = ROOT / ".tools/awscli/bin/aws"

_MARK = "\x1e"
"""Stands between what two commands print."""
_SERVE = """kill $SERVER 2>/dev/null; wait
{command} --port {port} --status-port 0 --drain 0 & SERVER=$!
healthy() {{ curl --silent --fail http://127.0.0.1:{port}/healthz > /dev/null; }}
for _ in {{1..{tenths}}}; do healthy && break; sleep 0.1; done; healthy"""
_STACK = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Log": {"Type": "AWS::Logs::LogGroup"},
    },
    # As `stacks/forwarder.py` names them, which tests/docs/test_deploy.py compares with the document.
    "Outputs": {
        "OverflowQueue": {"Value": {"Ref": "Queue"}},
        "Log": {"Value": {"Ref": "Log"}},
        "LoadBalancerName": {"Value": "internal-headgate.elb.amazonaws.com"},
        "FailureQueue": {"Value": {"Ref": "Queue"}},
    },
}


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    status: int
    printed: str


@dataclass(frozen=True)
class World:
    """What all documents have in common: AWS, and a forwarder that was deployed."""

    environment: dict[str, str]
    forwarder: str
    status: str
    balancer: str

    def run(self, commands: Sequence[str], directory: Path) -> list[Ran]:
        """Run commands in one shell, in a directory that looks like a checkout."""
        for entry in ROOT.iterdir():
            if not (directory / entry.name).exists():
                (directory / entry.name).symlink_to(entry)
        port = free_port()
        script = "".join(
            f"{self._here(command, port)}\nprintf '{_MARK}%s{_MARK}' $?\n" for command in commands
        )
        tools = [HEADGATE.parent, AWSCLI.parent]
        path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
        # A file, not a pipe: what the script leaves running would keep a pipe open.
        with (directory / "printed").open("w+", encoding="utf-8") as file:
            with subprocess.Popen(
                ["bash", "-c", script + "kill $(jobs -p) 2>/dev/null; wait"],
                cwd=directory, env=os.environ | self.environment | {"PATH": path, "HOME": str(directory)},
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            ) as shell:  # fmt: skip
                shell.wait(DEADLINE * 1.5)
            file.seek(0)
            parts = file.read().split(_MARK)
        assert len(parts) == 2 * len(commands) + 1, parts[-1]
        return [Ran(int(status), printed) for printed, status in zip(parts[0:-1:2], parts[1::2], strict=True)]

    def _here(self, command: str, port: int) -> str:
        """Return a command as it runs here: what never ends by itself is ended here."""
        for told, here in {
            "https://events.dev.example.com": self.forwarder,
            "http://127.0.0.1:8080": f"http://127.0.0.1:{port}",
            "http://127.0.0.1:8081": self.status.removesuffix("/statusz"),
            "ARN_OF_THE_LOAD_BALANCER": self.balancer,
            # It would set up anew what it is run with, for a directory that will be gone.
            "make setup": f"make --directory {ROOT} setup",
            # What `settings show` prints of the key that is there.
            "sha256:1a2b3c4d": shown("wk_live_1"),
            "--secret-id": "--secret-id <<< opaque-secret-id",
            # The one service for which version 1 of the AWS CLI does not ask AWS_ENDPOINT_URL.
            "aws sqs ": "aws sqs --endpoint-url $AWS_ENDPOINT_URL ",
        }.items():
            command = command.replace(told, here)
        if command.startswith("headgate serve "):
            return _SERVE.format(command=command, port=port, tenths=DEADLINE * 10)
        if "--follow" in command or command.startswith("python -m headgate.testing"):
            return f"python {HERE / 'until_it_prints.py'} {command}"
        if command.startswith("headgate audience sync "):
            return f"python {HERE / 'on_a_terminal.py'} {command}"
        return command


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """Give what the documents take for granted: streams with events, a deployed forwarder, its stacks."""
    streams = dict.fromkeys(STREAMS, 2)
    with (
        embedded_aws(directory, enforces_iam=False) as aws,
        FakeKinesis(streams=streams, account=ACCOUNT, region=REGION) as kinesis,
    ):
        here = {f"AWS_ENDPOINT_URL_{service}": kinesis.url for service in ("KINESIS", "STS", "IAM")}
        keys = {"AWS_ENDPOINT_URL": aws.endpoint_url, "AWS_ACCESS_KEY_ID": ACCOUNT}
        environment = kinesis.environment() | keys | here
        balancer = _deploy(aws)
        _put(kinesis)
        to_dev = Destination(stream_name="headgate-dev-events")
        deployed = Source(id="8kf3Qw2LpZ", write_keys=("wk_live_1",), destinations=(to_dev,))
        with serving([deployed], environment, directory) as forwarder:
            yield World(environment, forwarder.url, forwarder.status_url, balancer)


def _deploy(aws: EmbeddedAws) -> str:
    """Make of the stacks what a command asks for; return the load balancer's ARN."""

    def client(service: str) -> Any:
        return aws.client(service, aws.root(ACCOUNT), REGION)

    for name in ("dev-forwarder", "prod-forwarder", "prod-audiences"):
        stack = f"headgate-{name}"
        client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(_STACK))
        client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
    key_arn = client("kms").create_key()["KeyMetadata"]["Arn"]
    for name in TABLES:
        make_table(client("dynamodb"), key_arn, name)
    subnets = [each["SubnetId"] for each in client("ec2").describe_subnets()["Subnets"][:2]]
    made = client("elbv2").create_load_balancer(Name="headgate", Subnets=subnets)
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def _put(kinesis: FakeKinesis) -> None:
    event = {
        "type": "track",
        "event": "Order Completed",
        "userId": "user-1",
        "receivedAt": "2026-01-01T00:00:00Z",
    }
    record = {"Data": json.dumps(event | {"messageId": MESSAGE_ID}), "PartitionKey": "user-1"}
    for stream in STREAMS:
        boto3_client(kinesis).put_records(StreamName=stream, Records=[record])


def files(directory: Path) -> None:
    """Put there what a reader has: sources, members, values and dead letters."""
    (directory / "sources.toml").write_text(SOURCES, encoding="utf-8")
    (directory / "members.csv").write_text("user_id\nuser-1\nuser-2\n", encoding="utf-8")
    for name in ("totals.csv", "values.csv"):
        (directory / name).write_text("user_id,value\nuser-1,39.95\n", encoding="utf-8")
    duckdb.sql(f"COPY (SELECT 'user-1' AS user_id) TO '{directory / 'members.parquet'}'")
    letters(directory)


def letters(directory: Path) -> None:
    """Put dead letters into a file: one that can be delivered by now, and one that still cannot."""

    async def write() -> None:
        await FileDeadLetters(directory / "dead-letters.jsonl").put(
            [
                DeadLetter(
                    time=datetime.now(UTC),
                    origin=Origin(
                        source_id="8kf3Qw2LpZ", region=REGION, stream_name=stream, role_address=None
                    ),
                    partition_key="user-1",
                    data=b'{"type": "track", "event": "Order Completed", "userId": "user-1"}',
                    code="too_large",
                    message="larger than the stream takes",
                )
                for stream in ("events", "old-events")
            ]
        )

    asyncio.run(write())
