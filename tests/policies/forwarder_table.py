"""What the forwarder's policies are to allow and to refuse, in each environment of this repository.

Callers and resources in braces are the deployed stacks' own. The caller's policies are its own where it is
one of the stacks' roles; any other has whatever rights its account can give, so that what is refused to it is
refused by what is asked for, or by the VPC endpoint on the way.
"""

import json
from dataclasses import dataclass
from functools import cache

import aws_cdk as cdk
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import forwarder_principal
from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from environments import Environment, load
from headgate.settings.strict_toml import decode
from stacks.forwarder import ForwarderStack
from stacks.stream import StreamStack
from tests.policies.deployed import Deployed
from tests.policies.engine import (
    ALLOWED,
    ANY_RIGHTS,
    DENIED,
    DESTINATION_ENCRYPTION_CONTEXT,
    ENCRYPTION_CONTEXT,
    FORBIDDEN,
    LOG_ENCRYPTION_CONTEXT,
    ROOT,
    SOURCE_ENCRYPTION_CONTEXT,
    Request,
)
from tests.policies.table import DEV_SOURCE, OWNER, SECRETS, SEGMENT, STRANGER

FLAGS = json.loads((ROOT / "cdk.json").read_text())["context"]
REGION = "us-west-2"
THEIR_ROLE = f"arn:aws:iam::{STRANGER}:role/theirs"
THEIR_STREAM = f"arn:aws:kinesis:{REGION}:{STRANGER}:stream/theirs"

# A forwarder that delivers into a stream of another account.
ABROAD = f"""
region = "{REGION}"
[stream]
name = "ours"
[role]
source_ids = ["{DEV_SOURCE}"]
[forwarder]
domain_name = "events.example.com"
certificate_arn = "arn:aws:acm:{REGION}:{OWNER}:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789"
sources_secret = "headgate/abroad/sources"
source_ids = ["{DEV_SOURCE}"]
[[forwarder.other_destinations]]
role_address = "{THEIR_ROLE}"
stream = {{ arn = "{THEIR_STREAM}" }}
"""


# A forwarder whose settings are in a table.
IN_TABLE = ABROAD.partition("[[")[0].replace(
    'sources_secret = "headgate/abroad/sources"', "settings_table = true"
)


def their_stack(app: cdk.App) -> cdk.Stack:
    """The other account's part of that: its stream, and a role that trusts the forwarder by name."""
    stack = cdk.Stack(app, "their-stack", env=cdk.Environment(region=REGION))
    DestinationRole(
        stack,
        "Role",
        streams=[EventStream(stack, "Stream", stream_name="theirs")],
        source_ids=[DEV_SOURCE],
        principals=[forwarder_principal(account=OWNER, task_role_name="headgate-abroad-forwarder")],
        shard_map=True,
        role_name="theirs",
    )
    return stack


@cache
def deployed(where: str) -> Deployed:
    """An environment's forwarder stack, with the stacks beside it."""
    inline = {"abroad": ABROAD, "table": IN_TABLE}
    environment = decode(inline[where], Environment, where=where) if where in inline else load(where)
    assert environment.forwarder is not None
    # One without feature flags, where what crosses stacks is exported and imported.
    flags = {} if where == "abroad" else FLAGS
    app = cdk.App(context=flags | {ALLOW_DESTROY_CONTEXT: environment.allow_destroy})
    target = cdk.Environment(region=REGION)
    stream = StreamStack(app, f"headgate-{where}-stream", environment=environment, env=target)
    forwarder = ForwarderStack(
        app,
        f"headgate-{where}-forwarder",
        name=where,
        settings=environment.forwarder,
        event_stream=stream.event_stream,
        env=target,
    )
    theirs = their_stack(app)
    beside = {
        "theirs": Deployed(Template.from_stack(theirs).to_json(), account=STRANGER, name="theirs"),
        stream.stack_name: Deployed(
            Template.from_stack(stream).to_json(), account=OWNER, secrets=SECRETS, name=where
        ),
    }
    return Deployed(
        Template.from_stack(forwarder).to_json(), account=OWNER, name=f"{where}-forwarder", beside=beside
    )


OPERATOR = f"arn:aws:iam::{OWNER}:role/operator"
"""Whoever got the policy of those who change settings, and no other."""
ROLES = {"{task}": "ForwarderTaskRole", "{execution}": "ForwarderExecutionRole", "{delivery}": "Role"}


def own_names(on: Deployed) -> dict[str, str]:
    """What the names in braces stand for."""
    resources = {
        "overflow": "ForwarderQueuesOverflow",
        "dead_letters": "ForwarderQueuesDeadLetters",
        "key": "ForwarderKey",
        "log": "ForwarderLog",
        "bucket": "NetworkLogs",
        **{name.strip("{}"): role for name, role in ROLES.items()},
        **(
            {"settings": "SettingsTable", "settings_key": "SettingsKey"}
            if on.name.startswith("table")
            else {}
        ),
    }
    stream = next(stack for name, stack in on.beside.items() if name.endswith("-stream"))
    stream_keys = stream.named("AWS::KMS::Key")
    return {
        **{name: on.arn(on.called(logical_id)) for name, logical_id in resources.items()},
        "stream": stream.arn(stream.only("AWS::Kinesis::Stream")),
        "stream_key": stream.arn(stream_keys[0]) if stream_keys else "",
        "outside_role": stream.arn(stream.only("AWS::IAM::Role")),
        "sources": f"arn:aws:secretsmanager:{REGION}:{OWNER}:secret:headgate/{stream.name}/sources",
        "endpoint": endpoint_id(on, "KinesisStreams"),
    }


def endpoint_id(on: Deployed, name: str) -> str:
    found: str = on.resolve({"Ref": on.called(f"NetworkEndpoints{name}")})
    return found


@dataclass(frozen=True)
class Row:
    """One request, of an environment's stacks.

    Attributes:
        where: the environment.
        caller: a role, or a service of AWS.
        action: what it does.
        resource: to what.
        verdict: what is to come of it.
        through: the VPC endpoint that it goes through.
        any_rights: the caller may do anything besides; for a role of the stacks that got a policy more.
        owner: account of a resource whose ARN has none.
        context: more condition keys.
    """

    where: str
    caller: str
    action: str
    resource: str
    verdict: str
    through: str = ""
    any_rights: bool = False
    owner: str = ""
    context: tuple[tuple[str, str], ...] = ()

    def request(self, on: Deployed | None = None) -> Request:
        on = on or deployed(self.where)
        names = own_names(on)
        caller, resource = self.caller.format(**names), self.resource.format(**names)
        rights = on.policies_of(on.called(ROLES[self.caller])) if self.caller in ROLES else []
        if caller == OPERATOR:
            name = f"{on.name}/{on.called('ChangeSettings')}.PolicyDocument"
            rights.append({"name": name, "policy": on.policies()[name]})
        elif self.caller.startswith("arn:") or self.any_rights:
            rights.append(ANY_RIGHTS)
        name, policy = on.resource_policy_of(resource, self.action) or ("", None)
        return Request(
            deployed=on,
            principal=caller,
            action=self.action,
            resource=resource,
            context=self._sent(caller, on) | {key: text.format(**names) for key, text in self.context},
            identity=rights,
            resource_policy=policy,
            resource_policy_name=name,
            endpoint=self._endpoint(on),
            owner=self.owner,
        )

    def _sent(self, caller: str, on: Deployed) -> dict[str, str]:
        """The condition keys that AWS sends with every request, or with every one through an endpoint."""
        sent = {"aws:SecureTransport": "true"}
        if caller.startswith("arn:"):
            sent |= {"aws:PrincipalArn": caller, "aws:PrincipalAccount": caller.split(":")[4]}
        if self.through:
            sent["aws:SourceVpce"] = endpoint_id(on, self.through)
        return sent

    def _endpoint(self, on: Deployed) -> dict[str, object] | None:
        if not self.through:
            return None
        name = f"{on.name}/{on.called(f'NetworkEndpoints{self.through}')}.PolicyDocument"
        return {"name": name, "policy": on.policies()[name]}


_KEYS = {
    "external_id": "sts:ExternalId",
    "encrypts": ENCRYPTION_CONTEXT,
    "encrypts_log": LOG_ENCRYPTION_CONTEXT,
    "for_source": SOURCE_ENCRYPTION_CONTEXT,
    "for_stream": DESTINATION_ENCRYPTION_CONTEXT,
    "via": "kms:ViaService",
    "source_account": "aws:SourceAccount",
    "source_arn": "aws:SourceArn",
    "secure": "aws:SecureTransport",
    "tls": "s3:TlsVersion",
    "acl": "s3:x-amz-acl",
    "endpoint": "aws:SourceVpce",
}


def row(
    where: str,
    caller: str,
    action: str,
    resource: str,
    verdict: str,
    *,
    through: str = "",
    any_rights: bool = False,
    owner: str = "",
    **context: str,
) -> Row:
    keys = tuple((_KEYS[name], value) for name, value in context.items())
    return Row(where, caller, action, resource, verdict, through, any_rights, owner, keys)


def environment_rows(where: str) -> list[Row]:
    """What is to hold in an environment of this repository, whatever its TOML says."""

    def does(caller: str, action: str, resource: str, verdict: str, **more: object) -> Row:
        return row(where, caller, action, resource, verdict, **more)  # type: ignore[arg-type]

    def assumes(caller: str, external_id: str | None, verdict: str, role: str = "{delivery}") -> Row:
        more = {} if external_id is None else {"external_id": external_id}
        return does(caller, "sts:AssumeRole", role, verdict, **more)

    queues = f"sqs.{REGION}.amazonaws.com"
    repository = f"arn:aws:ecr:{REGION}:{OWNER}:repository/cdk-hnb659fds-container-assets-{OWNER}-{REGION}"
    ecs = {"source_account": OWNER, "source_arn": f"arn:aws:ecs:{REGION}:{OWNER}:cluster/any"}
    acl = "bucket-owner-full-control"
    flow_logs = {"source_account": OWNER, "source_arn": f"arn:aws:logs:{REGION}:{OWNER}:any"}
    stream_of_log = "{log}:log-stream:forwarder/Forwarder/0"
    return [
        # Who may be the task role and the execution role: ECS, for tasks of this account.
        does("ecs-tasks.amazonaws.com", "sts:AssumeRole", "{task}", ALLOWED, **ecs),
        does("ecs-tasks.amazonaws.com", "sts:AssumeRole", "{execution}", ALLOWED, **ecs),
        does("ecs-tasks.amazonaws.com", "sts:AssumeRole", "{task}", DENIED),
        *(
            does("ecs-tasks.amazonaws.com", "sts:AssumeRole", role, DENIED, **(ecs | other))
            for role in ("{task}", "{execution}")
            for other in (
                {"source_account": STRANGER},
                {"source_arn": f"arn:aws:ecs:{REGION}:{STRANGER}:cluster/any"},
                {"source_arn": f"arn:aws:ecs:eu-west-1:{OWNER}:cluster/any"},
            )
        ),
        does("lambda.amazonaws.com", "sts:AssumeRole", "{task}", DENIED, **ecs),
        does("ecs-tasks.amazonaws.com", "sts:AssumeRole", "{delivery}", DENIED, **ecs),
        does(f"arn:aws:iam::{OWNER}:role/admin", "sts:AssumeRole", "{task}", DENIED),
        does(f"arn:aws:iam::{OWNER}:role/admin", "sts:AssumeRole", "{execution}", DENIED),
        # Who may deliver into the stream: the task role by its name, under a source ID.
        assumes("{task}", DEV_SOURCE, ALLOWED),
        assumes("{task}", None, DENIED),
        assumes("{task}", "another", DENIED),
        assumes("{task}", DEV_SOURCE + "x", DENIED),
        assumes("{task}", DEV_SOURCE.lower(), DENIED),
        assumes("{execution}", DEV_SOURCE, DENIED),
        does("{execution}", "sts:AssumeRole", "{delivery}", DENIED, any_rights=True, external_id=DEV_SOURCE),
        assumes(f"arn:aws:iam::{OWNER}:role/admin", DEV_SOURCE, DENIED),
        assumes(f"arn:aws:iam::{OWNER}:role/headgate-{where}-forwarder-2", DEV_SOURCE, DENIED),
        assumes(f"arn:aws:iam::{OWNER}:role/mine/headgate-{where}-forwarder", DEV_SOURCE, DENIED),
        assumes(f"arn:aws:iam::{OWNER}:user/headgate-{where}-forwarder", DEV_SOURCE, DENIED),
        assumes(f"arn:aws:iam::{STRANGER}:role/headgate-{where}-forwarder", DEV_SOURCE, DENIED),
        assumes(SEGMENT, DEV_SOURCE, DENIED),
        # What the task role may not assume: the role for writers from outside, and any other.
        assumes("{task}", DEV_SOURCE, DENIED, role="{outside_role}"),
        assumes("{task}", DEV_SOURCE, DENIED, role="{execution}"),
        assumes("{task}", DEV_SOURCE, DENIED, role=f"arn:aws:iam::{OWNER}:role/admin"),
        assumes("{task}", DEV_SOURCE, DENIED, role=THEIR_ROLE),
        # The queues: spill and drain; bury, but never dig.
        *(
            does("{task}", f"sqs:{action}", "{overflow}", ALLOWED)
            for action in (
                "SendMessage",
                "ReceiveMessage",
                "DeleteMessage",
                "ChangeMessageVisibility",
                "GetQueueAttributes",
            )
        ),
        does("{task}", "sqs:SendMessage", "{dead_letters}", ALLOWED),
        does("{task}", "sqs:GetQueueAttributes", "{dead_letters}", ALLOWED),
        does("{task}", "sqs:ReceiveMessage", "{dead_letters}", DENIED),
        does("{task}", "sqs:DeleteMessage", "{dead_letters}", DENIED),
        does("{task}", "sqs:PurgeQueue", "{overflow}", DENIED),
        does("{task}", "sqs:SetQueueAttributes", "{overflow}", DENIED),
        does("{task}", "sqs:DeleteQueue", "{overflow}", DENIED),
        does("{task}", "sqs:SendMessage", f"arn:aws:sqs:{REGION}:{OWNER}:another", DENIED),
        does("{execution}", "sqs:ReceiveMessage", "{overflow}", DENIED),
        does("{delivery}", "sqs:SendMessage", "{overflow}", DENIED),
        does(f"arn:aws:iam::{STRANGER}:role/admin", "sqs:ReceiveMessage", "{overflow}", DENIED),
        does(f"arn:aws:iam::{STRANGER}:role/admin", "sqs:SendMessage", "{dead_letters}", DENIED),
        # Without TLS they take nothing and give nothing, whoever asks.
        does("{task}", "sqs:SendMessage", "{overflow}", FORBIDDEN, secure="false"),
        does("{task}", "sqs:SendMessage", "{dead_letters}", FORBIDDEN, secure="false"),
        does(
            f"arn:aws:iam::{OWNER}:role/admin", "sqs:ReceiveMessage", "{overflow}", FORBIDDEN, secure="false"
        ),
        # The key of queues and log: through SQS, or as CloudWatch Logs.
        does("{task}", "kms:GenerateDataKey", "{key}", ALLOWED, via=queues),
        does("{task}", "kms:Decrypt", "{key}", ALLOWED, via=queues),
        does("{task}", "kms:Decrypt", "{key}", DENIED),
        does("{task}", "kms:Decrypt", "{key}", DENIED, via=f"s3.{REGION}.amazonaws.com"),
        does("{task}", "kms:Decrypt", "{key}", DENIED, via="sqs.eu-west-1.amazonaws.com"),
        does("{task}", "kms:Encrypt", "{key}", DENIED, via=queues),
        does("{task}", "kms:ScheduleKeyDeletion", "{key}", DENIED),
        does("{task}", "kms:PutKeyPolicy", "{key}", DENIED),
        does("{task}", "kms:Decrypt", f"arn:aws:kms:{REGION}:{OWNER}:key/another", DENIED, via=queues),
        does("{execution}", "kms:Decrypt", "{key}", DENIED, via=queues),
        does("{delivery}", "kms:Decrypt", "{key}", DENIED, via=queues),
        does(f"arn:aws:iam::{STRANGER}:role/admin", "kms:Decrypt", "{key}", DENIED),
        does(f"logs.{REGION}.amazonaws.com", "kms:Encrypt", "{key}", ALLOWED, encrypts_log="{log}"),
        does(f"logs.{REGION}.amazonaws.com", "kms:Decrypt", "{key}", ALLOWED, encrypts_log="{log}"),
        does(f"logs.{REGION}.amazonaws.com", "kms:Decrypt", "{key}", DENIED),
        does(
            f"logs.{REGION}.amazonaws.com",
            "kms:Decrypt",
            "{key}",
            DENIED,
            encrypts_log=f"arn:aws:logs:{REGION}:{STRANGER}:log-group:theirs",
        ),
        does("logs.eu-west-1.amazonaws.com", "kms:Decrypt", "{key}", DENIED, encrypts_log="{log}"),
        does(f"logs.{REGION}.amazonaws.com", "kms:ScheduleKeyDeletion", "{key}", DENIED),
        # The settings, and no other secret.
        does("{task}", "secretsmanager:GetSecretValue", "{sources}-AbCdEf", ALLOWED),
        does("{task}", "secretsmanager:GetSecretValue", "{sources}-of-another-AbCdEf", DENIED),
        does("{task}", "secretsmanager:GetSecretValue", "{sources}2-AbCdEf", DENIED),
        does("{task}", "secretsmanager:PutSecretValue", "{sources}-AbCdEf", DENIED),
        does("{task}", "secretsmanager:DescribeSecret", "{sources}-AbCdEf", DENIED),
        does("{execution}", "secretsmanager:GetSecretValue", "{sources}-AbCdEf", DENIED),
        does("{delivery}", "secretsmanager:GetSecretValue", "{sources}-AbCdEf", DENIED),
        # What a task is never to do: reach the stream but by its role, change who may do what, read buckets.
        does("{task}", "kinesis:PutRecords", "{stream}", DENIED, endpoint="{endpoint}"),
        does("{task}", "kinesis:GetRecords", "{stream}", DENIED, endpoint="{endpoint}"),
        does("{task}", "iam:SimulatePrincipalPolicy", "{task}", DENIED),
        does("{task}", "iam:PutRolePolicy", "{task}", DENIED),
        does("{task}", "iam:UpdateAssumeRolePolicy", "{delivery}", DENIED),
        does("{task}", "iam:PassRole", "{execution}", DENIED),
        does("{task}", "s3:GetObject", "{bucket}/load-balancer/any", DENIED),
        does("{task}", "logs:PutLogEvents", stream_of_log, DENIED),
        does("{task}", "ecs:UpdateService", f"arn:aws:ecs:{REGION}:{OWNER}:service/any/any", DENIED),
        # The delivery role: records into the stream through the endpoint, and nothing else.
        *(
            does("{delivery}", f"kinesis:{action}", "{stream}", ALLOWED, through="KinesisStreams")
            for action in ("PutRecord", "PutRecords", "ListShards", "DescribeStreamSummary")
        ),
        does("{delivery}", "kinesis:GetRecords", "{stream}", DENIED, endpoint="{endpoint}"),
        does("{delivery}", "kinesis:DeleteStream", "{stream}", DENIED, endpoint="{endpoint}"),
        does("{delivery}", "kinesis:PutRecords", "{stream}-more", DENIED, endpoint="{endpoint}"),
        does("{delivery}", "kinesis:PutRecords", THEIR_STREAM, DENIED, endpoint="{endpoint}"),
        does("{delivery}", "iam:SimulatePrincipalPolicy", "{delivery}", ALLOWED),
        does("{delivery}", "iam:SimulatePrincipalPolicy", "{task}", DENIED),
        # ECS itself: the image and the log.
        does("{execution}", "ecr:GetAuthorizationToken", "*", ALLOWED),
        *(
            does("{execution}", f"ecr:{action}", repository, ALLOWED)
            for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        ),
        does("{execution}", "ecr:PutImage", repository, DENIED),
        does("{execution}", "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{OWNER}:repository/another", DENIED),
        does("{execution}", "logs:CreateLogStream", stream_of_log, ALLOWED),
        does("{execution}", "logs:PutLogEvents", stream_of_log, ALLOWED),
        does("{execution}", "logs:GetLogEvents", stream_of_log, DENIED),
        does("{execution}", "logs:PutLogEvents", "{log}-of-another:log-stream:any", DENIED),
        does("{execution}", "kinesis:PutRecords", "{stream}", DENIED, endpoint="{endpoint}"),
        # Through the VPC endpoints: what the forwarder does, and nothing else whatever anybody's rights are.
        does("{task}", "sts:AssumeRole", "{delivery}", ALLOWED, through="Sts", external_id=DEV_SOURCE),
        does("{task}", "sts:AssumeRole", THEIR_ROLE, DENIED, through="Sts", any_rights=True),
        does("{execution}", "sts:AssumeRole", "{delivery}", DENIED, through="Sts", any_rights=True),
        does(f"arn:aws:iam::{STRANGER}:role/admin", "sts:AssumeRole", THEIR_ROLE, DENIED, through="Sts"),
        does(
            "{delivery}",
            "kinesis:PutRecords",
            THEIR_STREAM,
            DENIED,
            through="KinesisStreams",
            any_rights=True,
        ),
        does(
            "{delivery}", "kinesis:GetRecords", "{stream}", DENIED, through="KinesisStreams", any_rights=True
        ),
        does("{task}", "kinesis:PutRecords", "{stream}", DENIED, through="KinesisStreams", any_rights=True),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "kinesis:PutRecords",
            THEIR_STREAM,
            DENIED,
            through="KinesisStreams",
        ),
        does(
            f"arn:aws:iam::{OWNER}:role/admin",
            "kinesis:PutRecords",
            "{stream}",
            DENIED,
            through="KinesisStreams",
        ),
        does("{task}", "sqs:SendMessage", "{overflow}", ALLOWED, through="Sqs"),
        does("{task}", "sqs:ReceiveMessage", "{overflow}", ALLOWED, through="Sqs"),
        does("{task}", "sqs:SendMessage", "{dead_letters}", ALLOWED, through="Sqs"),
        does("{task}", "sqs:PurgeQueue", "{overflow}", DENIED, through="Sqs", any_rights=True),
        does(
            "{task}",
            "sqs:SendMessage",
            f"arn:aws:sqs:{REGION}:{OWNER}:another",
            DENIED,
            through="Sqs",
            any_rights=True,
        ),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "sqs:SendMessage",
            f"arn:aws:sqs:{REGION}:{STRANGER}:theirs",
            DENIED,
            through="Sqs",
        ),
        does(
            "{task}", "secretsmanager:GetSecretValue", "{sources}-AbCdEf", ALLOWED, through="SecretsManager"
        ),
        does(
            "{task}",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{OWNER}:secret:another-AbCdEf",
            DENIED,
            through="SecretsManager",
            any_rights=True,
        ),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{STRANGER}:secret:theirs-AbCdEf",
            DENIED,
            through="SecretsManager",
        ),
        does("{execution}", "logs:CreateLogStream", stream_of_log, ALLOWED, through="Logs"),
        does("{execution}", "logs:PutLogEvents", stream_of_log, ALLOWED, through="Logs"),
        does("{task}", "logs:PutLogEvents", stream_of_log, DENIED, through="Logs", any_rights=True),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "logs:PutLogEvents",
            f"arn:aws:logs:{REGION}:{STRANGER}:log-group:theirs:log-stream:any",
            DENIED,
            through="Logs",
        ),
        *(
            each
            for through in ("EcrApi", "EcrDocker")
            for each in (
                does("{execution}", "ecr:GetAuthorizationToken", "*", ALLOWED, through=through),
                does("{execution}", "ecr:BatchGetImage", repository, ALLOWED, through=through),
                does("{execution}", "ecr:PutImage", repository, DENIED, through=through, any_rights=True),
                does("{task}", "ecr:BatchGetImage", repository, DENIED, through=through, any_rights=True),
                does(
                    f"arn:aws:iam::{STRANGER}:role/admin",
                    "ecr:BatchGetImage",
                    f"arn:aws:ecr:{REGION}:{STRANGER}:repository/theirs",
                    DENIED,
                    through=through,
                ),
            )
        ),
        # The gateways: ECR's layers, and reads of this account's tables.
        does(LAYERS_OWNER, "s3:GetObject", f"{LAYERS}/any", ALLOWED, through="S3", owner=ECR),
        does(LAYERS_OWNER, "s3:PutObject", f"{LAYERS}/any", DENIED, through="S3", owner=ECR),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "s3:PutObject",
            "arn:aws:s3:::theirs/any",
            DENIED,
            through="S3",
            owner=STRANGER,
        ),
        does("{task}", "s3:GetObject", "{bucket}/load-balancer/any", DENIED, through="S3", any_rights=True),
        does(f"arn:aws:iam::{OWNER}:role/admin", "dynamodb:GetItem", TABLE_ARN, ALLOWED, through="DynamoDb"),
        does(f"arn:aws:iam::{OWNER}:role/admin", "dynamodb:PutItem", TABLE_ARN, DENIED, through="DynamoDb"),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "dynamodb:GetItem",
            f"arn:aws:dynamodb:{REGION}:{STRANGER}:table/theirs",
            DENIED,
            through="DynamoDb",
        ),
        # The bucket for logs: each of AWS' log writers into its own part, and nobody without TLS 1.2.
        does(
            "logging.s3.amazonaws.com",
            "s3:PutObject",
            "{bucket}/bucket/any",
            ALLOWED,
            source_account=OWNER,
            source_arn="{bucket}",
        ),
        does(
            "logging.s3.amazonaws.com",
            "s3:PutObject",
            "{bucket}/bucket/any",
            DENIED,
            source_account=STRANGER,
            source_arn="arn:aws:s3:::theirs",
        ),
        does("delivery.logs.amazonaws.com", "s3:PutObject", f"{FLOW_LOGS}/a", ALLOWED, acl=acl, **flow_logs),
        does("delivery.logs.amazonaws.com", "s3:PutObject", f"{FLOW_LOGS}/a", DENIED, **flow_logs),
        does(
            "delivery.logs.amazonaws.com",
            "s3:PutObject",
            f"{FLOW_LOGS}/a",
            DENIED,
            acl=acl,
            source_account=STRANGER,
            source_arn=f"arn:aws:logs:{REGION}:{STRANGER}:any",
        ),
        does("delivery.logs.amazonaws.com", "s3:ListBucket", "{bucket}", ALLOWED, **flow_logs),
        does("delivery.logs.amazonaws.com", "s3:GetBucketAcl", "{bucket}", ALLOWED),
        does("delivery.logs.amazonaws.com", "s3:ListBucket", "{bucket}", DENIED),
        does("delivery.logs.amazonaws.com", "s3:PutObject", f"{ACCESS_LOGS}/a", ALLOWED, acl=acl),
        does(LOAD_BALANCERS, "s3:PutObject", f"{ACCESS_LOGS}/a", ALLOWED),
        does(LOAD_BALANCERS, "s3:PutObject", f"{FLOW_LOGS}/a", DENIED),
        does(LOAD_BALANCERS, "s3:GetObject", f"{ACCESS_LOGS}/a", DENIED),
        does(LOAD_BALANCERS, "s3:PutObject", f"{{bucket}}/load-balancer/AWSLogs/{STRANGER}/a", DENIED),
        does(f"arn:aws:iam::{STRANGER}:role/admin", "s3:GetObject", f"{ACCESS_LOGS}/a", DENIED),
        does(LOAD_BALANCERS, "s3:PutObject", f"{ACCESS_LOGS}/a", FORBIDDEN, secure="false"),
        does(
            f"arn:aws:iam::{OWNER}:role/admin", "s3:GetObject", f"{ACCESS_LOGS}/a", FORBIDDEN, secure="false"
        ),
        does(f"arn:aws:iam::{OWNER}:role/admin", "s3:GetObject", f"{ACCESS_LOGS}/a", FORBIDDEN, tls="1.1"),
        does(f"arn:aws:iam::{OWNER}:role/admin", "s3:GetObject", f"{ACCESS_LOGS}/a", ALLOWED, tls="1.2"),
    ]


ECR = "444455556666"
LAYERS_OWNER = f"arn:aws:iam::{ECR}:role/layers"
LAYERS = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/sources"
LOAD_BALANCERS = "arn:aws:iam::797873946194:role/load-balancers"
"""The account that ELB writes its access logs of us-west-2 as, by its documentation."""
FLOW_LOGS = f"{{bucket}}/network/AWSLogs/{OWNER}"
ACCESS_LOGS = f"{{bucket}}/load-balancer/AWSLogs/{OWNER}"

PUT = "kinesis:PutRecords"
GENERATE = "kms:GenerateDataKey"
OTHER_ENDPOINT = "vpce-0fffffffffffffff0"

DYNAMODB = f"dynamodb.{REGION}.amazonaws.com"
SECRET_ID = {"for_source": DEV_SOURCE, "for_stream": "ours"}


def table_rows() -> list[Row]:
    """What is to hold of settings in a table: forwarder and operator each do their part."""

    def does(caller: str, action: str, resource: str, verdict: str, **more: str) -> Row:
        return row("table", caller, action, resource, verdict, **more)

    read = ("GetItem", "Query", "BatchGetItem")
    change = ("GetItem", "Query", "PutItem", "DeleteItem", "DescribeTable")
    others = ("Scan", "UpdateItem", "BatchWriteItem", "DeleteTable", "UpdateTable")
    return [
        *(does("{task}", f"dynamodb:{each}", "{settings}", ALLOWED) for each in read),
        *(does("{task}", f"dynamodb:{each}", "{settings}", DENIED) for each in (*others, *change[2:])),
        *(does(OPERATOR, f"dynamodb:{each}", "{settings}", ALLOWED) for each in change),
        *(does(OPERATOR, f"dynamodb:{each}", "{settings}", DENIED) for each in others),
        *(
            does(caller, "dynamodb:GetItem", TABLE_ARN, DENIED)
            for caller in ("{task}", OPERATOR, "{execution}", "{delivery}")
        ),
        does("{execution}", "dynamodb:GetItem", "{settings}", DENIED),
        does("{delivery}", "dynamodb:GetItem", "{settings}", DENIED),
        # The key: through DynamoDB, or for Secret IDs, each way by one of the two alone.
        does("{task}", "kms:Decrypt", "{settings_key}", ALLOWED, via=DYNAMODB),
        does("{task}", "kms:Decrypt", "{settings_key}", DENIED, via=f"sqs.{REGION}.amazonaws.com"),
        does("{task}", "kms:GenerateDataKey", "{settings_key}", DENIED, via=DYNAMODB),
        does("{task}", "kms:Decrypt", "{settings_key}", ALLOWED, **SECRET_ID),
        does("{task}", "kms:Decrypt", "{settings_key}", DENIED, for_source=DEV_SOURCE),
        does("{task}", "kms:Decrypt", "{settings_key}", DENIED, for_stream="ours"),
        does("{task}", "kms:Decrypt", "{settings_key}", DENIED),
        does("{task}", "kms:Encrypt", "{settings_key}", DENIED, **SECRET_ID),
        does(OPERATOR, "kms:GenerateDataKey", "{settings_key}", ALLOWED, via=DYNAMODB),
        does(OPERATOR, "kms:GenerateDataKey", "{settings_key}", DENIED),
        does(OPERATOR, "kms:Encrypt", "{settings_key}", ALLOWED, **SECRET_ID),
        does(OPERATOR, "kms:Encrypt", "{settings_key}", DENIED),
        does(OPERATOR, "kms:Decrypt", "{settings_key}", DENIED, **SECRET_ID),
        does(OPERATOR, "kms:ScheduleKeyDeletion", "{settings_key}", DENIED),
        does("{execution}", "kms:Decrypt", "{settings_key}", DENIED, **SECRET_ID),
        does("{task}", "kms:Decrypt", "{key}", DENIED, **SECRET_ID),
        # The ways there: through the gateway reads alone, through the endpoint of KMS the task's Secret IDs.
        *(does("{task}", f"dynamodb:{each}", "{settings}", ALLOWED, through="DynamoDb") for each in read),
        does(OPERATOR, "dynamodb:PutItem", "{settings}", DENIED, through="DynamoDb"),
        does("{task}", "kms:Decrypt", "{settings_key}", ALLOWED, through="Kms", **SECRET_ID),
        row("table", "{task}", "kms:Encrypt", "{settings_key}", DENIED, through="Kms", any_rights=True),
        row("table", "{task}", "kms:Decrypt", "{key}", DENIED, through="Kms", any_rights=True),
        row("table", "{execution}", "kms:Decrypt", "{settings_key}", DENIED, through="Kms", any_rights=True),
        does(
            f"arn:aws:iam::{STRANGER}:role/admin",
            "kms:Decrypt",
            f"arn:aws:kms:{REGION}:{STRANGER}:key/theirs",
            DENIED,
            through="Kms",
        ),
    ]


TABLE = [
    *table_rows(),
    *environment_rows("dev"),
    *environment_rows("prod"),
    # Production binds its records to the endpoint; the trial's may come from anywhere.
    row("dev", "{delivery}", PUT, "{stream}", ALLOWED),
    row("prod", "{delivery}", PUT, "{stream}", DENIED),
    row("prod", "{delivery}", PUT, "{stream}", DENIED, endpoint=OTHER_ENDPOINT),
    row("prod", "{delivery}", "kinesis:ListShards", "{stream}", DENIED, endpoint=OTHER_ENDPOINT),
    # Production's settings have two sources.
    row("prod", "{task}", "sts:AssumeRole", "{delivery}", ALLOWED, external_id="2bYt7RxMnc"),
    row("dev", "{task}", "sts:AssumeRole", "{delivery}", DENIED, external_id="2bYt7RxMnc"),
    row("prod", "{task}", "sts:AssumeRole", "{delivery}", DENIED, external_id="workspace-secret"),
    # Production's stream has a key of its own.
    row("prod", "{delivery}", GENERATE, "{stream_key}", ALLOWED, encrypts="{stream}"),
    row("prod", "{delivery}", GENERATE, "{stream_key}", DENIED, encrypts="{stream}-more"),
    row("prod", "{delivery}", GENERATE, "{stream_key}", DENIED),
    row("prod", "{delivery}", "kms:Decrypt", "{stream_key}", DENIED, encrypts="{stream}"),
    row("prod", "{task}", GENERATE, "{stream_key}", DENIED, encrypts="{stream}"),
    # A stream of another account: its role trusts our account for the task role of that name alone.
    row("abroad", "{task}", "sts:AssumeRole", THEIR_ROLE, ALLOWED, external_id=DEV_SOURCE),
    row("abroad", "{task}", "sts:AssumeRole", THEIR_ROLE, ALLOWED, external_id=DEV_SOURCE, through="Sts"),
    row("abroad", "{task}", "sts:AssumeRole", THEIR_ROLE, DENIED),
    row("abroad", "{task}", "sts:AssumeRole", THEIR_ROLE, DENIED, external_id="another"),
    row("abroad", "{task}", "sts:AssumeRole", "{delivery}", ALLOWED, external_id=DEV_SOURCE),
    row(
        "abroad", "{execution}", "sts:AssumeRole", THEIR_ROLE, DENIED, external_id=DEV_SOURCE, any_rights=True
    ),
    *(
        row("abroad", f"arn:aws:iam::{caller}", "sts:AssumeRole", THEIR_ROLE, DENIED, external_id=DEV_SOURCE)
        for caller in (
            f"{OWNER}:role/admin",
            f"{OWNER}:role/headgate-abroad-forwarder-2",
            f"{OWNER}:role/mine/headgate-abroad-forwarder",
            f"{STRANGER}:role/headgate-abroad-forwarder",
            f"{STRANGER}:role/admin",
            f"{ECR}:role/headgate-abroad-forwarder",
        )
    ),
    # Their role writes through our endpoint, as nobody else's does.
    row("abroad", THEIR_ROLE, PUT, THEIR_STREAM, ALLOWED, through="KinesisStreams"),
    row("abroad", f"arn:aws:iam::{STRANGER}:role/admin", PUT, THEIR_STREAM, DENIED, through="KinesisStreams"),
    row("abroad", THEIR_ROLE, PUT, THEIR_STREAM + "-2", DENIED, through="KinesisStreams"),
]


def described(row: Row) -> str:
    """A row's name in a test's report."""
    parts = [row.where, row.caller, row.action, row.resource, row.through, *(text for _, text in row.context)]
    rights = ["any-rights"] if row.any_rights else []
    return "-".join([part.split(":")[-1] for part in parts if part] + rights + [row.verdict])
