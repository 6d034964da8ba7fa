"""What the synthesized policies are to allow and to refuse, request by request."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, EventStream, NetworkConditions
from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from environments import load
from stacks.stream import StreamStack
from tests.policies.deployed import Deployed
from tests.policies.engine import (
    ALLOWED,
    DENIED,
    ENCRYPTION_CONTEXT,
    ROOT,
    Request,
    as_role,
    assume_role,
)

OWNER, STRANGER = "111122223333", "999988887777"
SEGMENT = "arn:aws:iam::595280932656:role/customer-kinesis-access"
SEGMENT_OTHER_ROLE = "arn:aws:iam::595280932656:role/customer-firehose-access"
FORWARDER = f"arn:aws:iam::{OWNER}:role/forwarder-task"
DEV_SOURCE = "8kf3Qw2LpZ"
SOURCES = [f"source{number:02}" for number in range(40)]
SECRETS = {
    "headgate/prod/segment-secret-id:SecretString:::": "workspace-secret",
    "one:SecretString:id::": "secret-one",
    "two:SecretString:id::": "secret-two",
}
ENDPOINT, OTHER_ENDPOINT = "vpce-0a1b2c3d4e5f67890", "vpce-0fffffffffffffff0"
EU_STREAM = f"arn:aws:kinesis:eu-west-1:{OWNER}:stream/events-eu"


def stack_of(build: Callable[[cdk.Stack], tuple[EventStream, DestinationRole]]) -> cdk.Stack:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    stack = cdk.Stack(
        cdk.App(context=context),
        "Test",
        env=cdk.Environment(region="us-west-2"),
        synthesizer=cdk.BootstraplessSynthesizer(),
    )
    stream, role = build(stack)
    # As StreamStack has them.
    cdk.CfnOutput(stack, "RoleAddress", value=role.role_arn)
    cdk.CfnOutput(stack, "StreamRegion", value=stream.region)
    cdk.CfnOutput(stack, "StreamName", value=stream.stream_name)
    return stack


def of_environment(name: str) -> cdk.Stack:
    environment = load(name)
    app = cdk.App(context={ALLOW_DESTROY_CONTEXT: environment.allow_destroy})
    return StreamStack(
        app,
        "Test",
        environment=environment,
        env=cdk.Environment(region=environment.region),
        synthesizer=cdk.BootstraplessSynthesizer(),
    )


def many_sources(stack: cdk.Stack) -> tuple[EventStream, DestinationRole]:
    events = EventStream(stack, "Events", stream_name="of-many-sources")
    return events, DestinationRole(stack, "Role", streams=[events], source_ids=SOURCES, whole_account=True)


def many_secrets(stack: cdk.Stack) -> tuple[EventStream, DestinationRole]:
    events = EventStream(stack, "Events", stream_name="of-many-secrets")
    secrets = [cdk.SecretValue.secrets_manager(name, json_field="id") for name in ("one", "two")]
    return events, DestinationRole(stack, "Role", streams=[events], secret_ids=secrets)


def own_forwarder(stack: cdk.Stack) -> tuple[EventStream, DestinationRole]:
    events = EventStream(stack, "Events", stream_name="of-a-forwarder")
    elsewhere = EventStream.from_stream_attributes(stack, "Eu", stream_arn=EU_STREAM)
    return events, DestinationRole(
        stack,
        "Role",
        streams=[events, elsewhere],
        source_ids=[DEV_SOURCE],
        principals=[iam.ArnPrincipal(FORWARDER)],
        shard_map=True,
        network=NetworkConditions(vpc_endpoint_ids=[ENDPOINT], source_addresses=["203.0.113.0/24"]),
    )


BUILDS: dict[str, Callable[[], cdk.Stack]] = {
    "dev": lambda: of_environment("dev"),
    "prod": lambda: of_environment("prod"),
    "sources": lambda: stack_of(many_sources),
    "secrets": lambda: stack_of(many_secrets),
    "forwarder": lambda: stack_of(own_forwarder),
}


@cache
def deployed(name: str) -> Deployed:
    template = Template.from_stack(BUILDS[name]()).to_json()
    return Deployed(template, account=OWNER, secrets=SECRETS, name=name)


@dataclass(frozen=True)
class Row:
    """`where` is a key of BUILDS; `{stream}`, `{key}` and `{role}` stand for that template's own ARNs."""

    where: str
    verdict: str
    action: str
    resource: str = "{role}"
    caller: str = ""
    external_id: str | None = None
    context: tuple[tuple[str, str], ...] = ()

    def request(self, on: Deployed | None = None) -> Request:
        on = on or deployed(self.where)
        own = {
            name: on.arn(on.only(type_))
            for name, type_ in (
                ("role", "AWS::IAM::Role"),
                ("stream", "AWS::Kinesis::Stream"),
                ("key", "AWS::KMS::Key"),
            )
            if on.named(type_)
        }
        role = on.only("AWS::IAM::Role")
        if self.action == "sts:AssumeRole":
            return assume_role(on, role, self.caller, self.external_id)
        context = {name: value.format(**own) for name, value in self.context}
        return as_role(on, role, self.action, self.resource.format(**own), context)


def assumes(where: str, caller: str, external_id: str | None, verdict: str) -> Row:
    return Row(where, verdict, "sts:AssumeRole", caller=caller, external_id=external_id)


def does(where: str, action: str, resource: str, verdict: str, **context: str) -> Row:
    keys = {"endpoint": "aws:SourceVpce", "address": "aws:SourceIp", "encrypts": ENCRYPTION_CONTEXT}
    return Row(
        where, verdict, action, resource, context=tuple((keys[name], one) for name, one in context.items())
    )


ANOTHER_STREAM = f"arn:aws:kinesis:us-west-2:{OWNER}:stream/another"
LONGER_NAME = "{stream}-more"
OTHER_REGION = f"arn:aws:kinesis:eu-west-1:{OWNER}:stream/headgate-dev-events"
OTHER_ACCOUNT = f"arn:aws:kinesis:us-west-2:{STRANGER}:stream/headgate-dev-events"
OTHER_ROLE = f"arn:aws:iam::{OWNER}:role/another"
OTHER_KEY = f"arn:aws:kms:us-west-2:{OWNER}:key/another"
SIMULATE = "iam:SimulatePrincipalPolicy"

TABLE = [
    # Who may assume the role, and with which External ID.
    assumes("dev", SEGMENT, DEV_SOURCE, ALLOWED),
    assumes("dev", SEGMENT, "another", DENIED),
    assumes("dev", SEGMENT, DEV_SOURCE.lower(), DENIED),
    assumes("dev", SEGMENT, DEV_SOURCE + "x", DENIED),
    assumes("dev", SEGMENT, DEV_SOURCE[:-1], DENIED),
    assumes("dev", SEGMENT, "x" + DEV_SOURCE, DENIED),
    assumes("dev", SEGMENT, None, DENIED),
    assumes("dev", SEGMENT_OTHER_ROLE, DEV_SOURCE, DENIED),
    assumes("dev", f"arn:aws:iam::{STRANGER}:role/customer-kinesis-access", DEV_SOURCE, DENIED),
    assumes("dev", f"arn:aws:iam::{STRANGER}:user/someone", DEV_SOURCE, DENIED),
    assumes("dev", f"arn:aws:iam::{OWNER}:user/someone", DEV_SOURCE, DENIED),
    assumes("prod", SEGMENT, "workspace-secret", ALLOWED),
    assumes("prod", SEGMENT, "another-secret", DENIED),
    assumes("prod", SEGMENT, None, DENIED),
    assumes("prod", SEGMENT, "headgate/prod/segment-secret-id", DENIED),
    assumes("sources", SEGMENT, SOURCES[0], ALLOWED),
    assumes("sources", SEGMENT, SOURCES[20], ALLOWED),
    assumes("sources", SEGMENT, SOURCES[-1], ALLOWED),
    assumes("sources", SEGMENT_OTHER_ROLE, SOURCES[0], ALLOWED),  # whole_account
    assumes("sources", SEGMENT, "source40", DENIED),
    assumes("sources", SEGMENT, f"{SOURCES[0]},{SOURCES[1]}", DENIED),
    assumes("sources", SEGMENT, None, DENIED),
    assumes("sources", f"arn:aws:iam::{STRANGER}:role/customer-kinesis-access", SOURCES[0], DENIED),
    assumes("secrets", SEGMENT, "secret-one", ALLOWED),
    assumes("secrets", SEGMENT, "secret-two", ALLOWED),
    assumes("secrets", SEGMENT, "secret-three", DENIED),
    assumes("secrets", SEGMENT, None, DENIED),
    assumes("secrets", SEGMENT_OTHER_ROLE, "secret-one", DENIED),
    assumes("forwarder", FORWARDER, DEV_SOURCE, ALLOWED),
    assumes("forwarder", FORWARDER, "another", DENIED),
    assumes("forwarder", FORWARDER, None, DENIED),
    assumes("forwarder", FORWARDER + "-2", DEV_SOURCE, DENIED),
    assumes("forwarder", SEGMENT, DEV_SOURCE, DENIED),
    # What the role may do to which stream.
    does("dev", "kinesis:PutRecord", "{stream}", ALLOWED),
    does("dev", "kinesis:PutRecords", "{stream}", ALLOWED),
    does("prod", "kinesis:PutRecord", "{stream}", ALLOWED),
    does("prod", "kinesis:PutRecords", "{stream}", ALLOWED),
    does("dev", "kinesis:PutRecord", ANOTHER_STREAM, DENIED),
    does("dev", "kinesis:PutRecords", ANOTHER_STREAM, DENIED),
    does("dev", "kinesis:PutRecords", LONGER_NAME, DENIED),
    does("dev", "kinesis:PutRecord", OTHER_REGION, DENIED),
    does("dev", "kinesis:PutRecords", OTHER_REGION, DENIED),
    does("dev", "kinesis:PutRecords", OTHER_ACCOUNT, DENIED),
    does("dev", "kinesis:ListShards", "{stream}", DENIED),
    does("dev", "kinesis:DescribeStreamSummary", "{stream}", DENIED),
    does("dev", "kinesis:GetRecords", "{stream}", DENIED),
    does("dev", "kinesis:GetShardIterator", "{stream}", DENIED),
    does("dev", "kinesis:DeleteStream", "{stream}", DENIED),
    does("dev", "kinesis:SplitShard", "{stream}", DENIED),
    does("dev", "kinesis:StopStreamEncryption", "{stream}", DENIED),
    # What it may ask IAM.
    does("dev", SIMULATE, "{role}", ALLOWED),
    does("prod", SIMULATE, "{role}", ALLOWED),  # with a path
    does("forwarder", SIMULATE, "{role}", ALLOWED),
    does("dev", SIMULATE, OTHER_ROLE, DENIED),
    does("dev", SIMULATE, f"arn:aws:iam::{OWNER}:user/someone", DENIED),
    does("dev", "iam:GetRole", "{role}", DENIED),
    does("dev", "iam:UpdateAssumeRolePolicy", "{role}", DENIED),
    does("dev", "iam:PutRolePolicy", "{role}", DENIED),
    # What it may do with the stream's key.
    does("prod", "kms:GenerateDataKey", "{key}", ALLOWED, encrypts="{stream}"),
    does("prod", "kms:GenerateDataKey", "{key}", DENIED, encrypts=ANOTHER_STREAM),
    does("prod", "kms:GenerateDataKey", "{key}", DENIED, encrypts=LONGER_NAME),
    does("prod", "kms:GenerateDataKey", "{key}", DENIED),
    does("prod", "kms:GenerateDataKey", OTHER_KEY, DENIED, encrypts="{stream}"),
    does("prod", "kms:Decrypt", "{key}", DENIED, encrypts="{stream}"),
    does("prod", "kms:Encrypt", "{key}", DENIED, encrypts="{stream}"),
    does("prod", "kms:ScheduleKeyDeletion", "{key}", DENIED),
    does("dev", "kms:GenerateDataKey", OTHER_KEY, DENIED, encrypts="{stream}"),
    # From where: either condition is enough, and it binds the kinesis actions alone.
    does("forwarder", "kinesis:PutRecords", "{stream}", ALLOWED, endpoint=ENDPOINT),
    does("forwarder", "kinesis:PutRecord", "{stream}", ALLOWED, endpoint=ENDPOINT),
    does("forwarder", "kinesis:PutRecords", "{stream}", ALLOWED, address="203.0.113.7"),
    does("forwarder", "kinesis:PutRecords", EU_STREAM, ALLOWED, address="203.0.113.7"),
    does("forwarder", "kinesis:ListShards", "{stream}", ALLOWED, endpoint=ENDPOINT),
    does("forwarder", "kinesis:DescribeStreamSummary", EU_STREAM, ALLOWED, endpoint=ENDPOINT),
    does("forwarder", "kinesis:PutRecords", "{stream}", DENIED, endpoint=OTHER_ENDPOINT),
    does("forwarder", "kinesis:PutRecords", "{stream}", DENIED, address="203.0.114.7"),
    does("forwarder", "kinesis:PutRecord", EU_STREAM, DENIED, address="198.51.100.1"),
    does("forwarder", "kinesis:PutRecords", "{stream}", DENIED),
    does("forwarder", "kinesis:ListShards", "{stream}", DENIED, address="198.51.100.1"),
    does("forwarder", "kinesis:PutRecords", ANOTHER_STREAM, DENIED, endpoint=ENDPOINT),
    does("forwarder", "kinesis:GetRecords", "{stream}", DENIED, endpoint=ENDPOINT),
]


def described(row: Row) -> str:
    """A row's name in a test's report."""
    asked = f"{row.caller.split(':')[-1]}-{row.external_id}" if row.caller else row.resource.split(":")[-1]
    context = "-".join(value for _, value in row.context)
    return f"{row.where}-{row.action}-{asked}-{context}-{row.verdict}"
