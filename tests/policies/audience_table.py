"""What the policies of audiences are to allow and to refuse, in prod with the two audiences of its example.

Callers and resources in braces are the deployed stacks' own. A caller that is none of their roles has
whatever rights its account can give.
"""

from dataclasses import dataclass
from functools import cache

from tests.policies.deployed import Deployed
from tests.policies.engine import ALLOWED, ANY_RIGHTS, DENIED, FORBIDDEN, LOG_ENCRYPTION_CONTEXT, Request
from tests.policies.table import DEV_SOURCE, OWNER, SECRETS, STRANGER
from tests.prod_with_audiences import REGION, prod_with_audiences, stacks

MEMBERS_KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/members"
THEIR_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
"""KMS' default: the account's own policies decide."""

NAME = "audiences"


@cache
def deployed() -> Deployed:
    """The audiences' stack, with the stacks beside it."""
    # The second's bucket has a key of its own.
    text = prod_with_audiences() + f'members_key_arn = "{MEMBERS_KEY}"\n'
    made = stacks(NAME, text)
    stream = Deployed(made.template(made.stream), account=OWNER, secrets=SECRETS, name="stream")
    forwarder = Deployed(
        made.template(made.forwarder),
        account=OWNER,
        name="forwarder",
        beside={made.stream.stack_name: stream},
    )
    return Deployed(
        made.template(made.audiences),
        account=OWNER,
        name="audiences",
        beside={made.forwarder.stack_name: forwarder, made.stream.stack_name: stream},
    )


def forwarder() -> Deployed:
    """The forwarder's stack beside it."""
    return deployed().beside[f"headgate-{NAME}-forwarder"]


ROLES = {"{task}": "AudiencesTaskRole", "{scheduler}": "AudiencesSchedulerRole"}


@cache
def own_names() -> dict[str, str]:
    """What the names in braces stand for."""
    on, beside = deployed(), forwarder()
    here = {
        "task": "AudiencesTaskRole",
        "scheduler": "AudiencesSchedulerRole",
        "state": "AudiencesState",
        "failures": "AudiencesFailuresQueue",
        "key": "AudiencesKey",
        "rule": "AudiencesFailuresStopped",
        "schedules": "AudiencesSchedules",
        "buyers": "OrderCompletedLast30daysOf8kf3Qw2LpZTask",
        "value": "LifetimeValueOf8kf3Qw2LpZTask",
    }
    there = {
        "delivery": "Role",
        "execution": "ForwarderExecutionRole",
        "forwarder": "ForwarderTaskRole",
        "cluster": "ForwarderCluster",
        "serving": "ForwarderTask",
        "overflow": "ForwarderQueuesOverflow",
    }
    stream = beside.beside[f"headgate-{NAME}-stream"]
    return {
        **{name: on.arn(on.called(logical_id)) for name, logical_id in here.items()},
        **{name: beside.arn(beside.called(logical_id)) for name, logical_id in there.items()},
        "stream": stream.arn(stream.only("AWS::Kinesis::Stream")),
        "sources": f"arn:aws:secretsmanager:{REGION}:{OWNER}:secret:headgate/prod/sources",
    }


@dataclass(frozen=True)
class Row:
    """One request.

    Attributes:
        caller: a role, or a service of AWS.
        action: what it does.
        resource: to what.
        verdict: what is to come of it.
        through: the VPC endpoint that it goes through.
        any_rights: the caller may do anything besides; for a role of the stack that got a policy more.
        owner: account of a resource whose ARN has none.
        context: more condition keys.
    """

    caller: str
    action: str
    resource: str
    verdict: str
    through: str = ""
    any_rights: bool = False
    owner: str = OWNER
    context: tuple[tuple[str, str], ...] = ()

    def request(self, on: Deployed | None = None) -> Request:
        on, names = on or deployed(), own_names()
        caller, resource = self.caller.format(**names), self.resource.format(**names)
        rights = on.policies_of(on.called(ROLES[self.caller])) if self.caller in ROLES else []
        if self.caller.startswith("arn:") or self.any_rights or self.caller in ("{execution}", "{forwarder}"):
            rights.append(ANY_RIGHTS)
        theirs = ("the members' key", THEIR_KEY_POLICY) if resource == MEMBERS_KEY else ("", None)
        name, policy = on.resource_policy_of(resource, self.action) or theirs
        return Request(
            deployed=on,
            principal=caller,
            action=self.action,
            resource=resource,
            context=self._sent(caller) | {key: text.format(**names) for key, text in self.context},
            identity=rights,
            resource_policy=policy,
            resource_policy_name=name,
            endpoint=self._endpoint(on.beside[f"headgate-{NAME}-forwarder"]),
            owner=self.owner if resource.startswith("arn:aws:s3") else "",
        )

    def _sent(self, caller: str) -> dict[str, str]:
        sent = {"aws:SecureTransport": "true"}
        if caller.startswith("arn:"):
            sent |= {"aws:PrincipalArn": caller, "aws:PrincipalAccount": caller.split(":")[4]}
        if self.through == "S3":
            sent["aws:ResourceAccount"] = self.owner
        return sent

    def _endpoint(self, of: Deployed) -> dict[str, object] | None:
        if not self.through:
            return None
        name = f"{of.name}/{of.called(f'NetworkEndpoints{self.through}')}.PolicyDocument"
        return {"name": name, "policy": of.policies()[name]}


_KEYS = {
    "external_id": "sts:ExternalId",
    "encrypts_log": LOG_ENCRYPTION_CONTEXT,
    "via": "kms:ViaService",
    "source_account": "aws:SourceAccount",
    "source_arn": "aws:SourceArn",
    "secure": "aws:SecureTransport",
    "tls": "s3:TlsVersion",
    "prefix": "s3:prefix",
    "cluster": "ecs:cluster",
    "passed_to": "iam:PassedToService",
}


def row(
    caller: str,
    action: str,
    resource: str,
    verdict: str,
    *,
    through: str = "",
    any_rights: bool = False,
    owner: str = OWNER,
    **context: str,
) -> Row:
    keys = tuple((_KEYS[name], value) for name, value in context.items())
    return Row(caller, action, resource, verdict, through, any_rights, owner, keys)


ADMIN, THEIR_ADMIN = f"arn:aws:iam::{OWNER}:role/admin", f"arn:aws:iam::{STRANGER}:role/admin"
ECS_TASKS, SCHEDULER, EVENTS = "ecs-tasks.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"
LOGS = f"logs.{REGION}.amazonaws.com"
ECS = {"source_account": OWNER, "source_arn": f"arn:aws:ecs:{REGION}:{OWNER}:cluster/any"}
SCHEDULES = {"source_account": OWNER, "source_arn": "{schedules}"}
SQS, S3 = f"sqs.{REGION}.amazonaws.com", f"s3.{REGION}.amazonaws.com"
EXPORTS = "arn:aws:s3:::example-exports"
STATE, A_LOG = "{state}/audiences/any", "{state}/access-logs/any"
SECRET = "{sources}-AbCdEf"

TABLE = [
    # Who may be what: ECS for tasks of this account, the scheduler for schedules of this group.
    row(ECS_TASKS, "sts:AssumeRole", "{task}", ALLOWED, **ECS),
    row(ECS_TASKS, "sts:AssumeRole", "{task}", DENIED, **(ECS | {"source_account": STRANGER})),
    row(ECS_TASKS, "sts:AssumeRole", "{scheduler}", DENIED, **ECS),
    row(ADMIN, "sts:AssumeRole", "{task}", DENIED),
    row(SCHEDULER, "sts:AssumeRole", "{scheduler}", ALLOWED, **SCHEDULES),
    row(SCHEDULER, "sts:AssumeRole", "{scheduler}", DENIED, **(SCHEDULES | {"source_account": STRANGER})),
    row(SCHEDULER, "sts:AssumeRole", "{scheduler}", DENIED, **(SCHEDULES | {"source_arn": "{schedules}-2"})),
    row(SCHEDULER, "sts:AssumeRole", "{scheduler}", DENIED),
    row(SCHEDULER, "sts:AssumeRole", "{task}", DENIED, **SCHEDULES),
    row(ADMIN, "sts:AssumeRole", "{scheduler}", DENIED),
    # The scheduler: these two task definitions, in this revision and cluster, as these two roles.
    row("{scheduler}", "ecs:RunTask", "{buyers}", ALLOWED, cluster="{cluster}"),
    row("{scheduler}", "ecs:RunTask", "{value}", ALLOWED, cluster="{cluster}"),
    row("{scheduler}", "ecs:RunTask", "{buyers}", DENIED, cluster="{cluster}-2"),
    row("{scheduler}", "ecs:RunTask", "{buyers}", DENIED),
    row("{scheduler}", "ecs:RunTask", "{buyers}2", DENIED, cluster="{cluster}"),
    row("{scheduler}", "ecs:RunTask", "{serving}", DENIED, cluster="{cluster}"),
    row(
        "{scheduler}",
        "ecs:StopTask",
        f"arn:aws:ecs:{REGION}:{OWNER}:task/any/any",
        DENIED,
        cluster="{cluster}",
    ),
    *(
        row("{scheduler}", "iam:PassRole", role, verdict, passed_to=to)
        for role, to, verdict in (
            ("{task}", ECS_TASKS, ALLOWED),
            ("{execution}", ECS_TASKS, ALLOWED),
            ("{task}", "lambda.amazonaws.com", DENIED),
            ("{execution}", "ec2.amazonaws.com", DENIED),
            ("{forwarder}", ECS_TASKS, DENIED),
            ("{delivery}", ECS_TASKS, DENIED),
            ("{scheduler}", ECS_TASKS, DENIED),
        )
    ),
    row("{scheduler}", "sqs:SendMessage", "{failures}", ALLOWED),
    row("{scheduler}", "sqs:ReceiveMessage", "{failures}", DENIED),
    row("{scheduler}", "sqs:SendMessage", "{overflow}", DENIED),
    row("{scheduler}", "kms:GenerateDataKey", "{key}", ALLOWED, via=SQS),
    row("{scheduler}", "kms:Decrypt", "{key}", ALLOWED, via=SQS),
    row("{scheduler}", "kms:Decrypt", "{key}", DENIED),
    row("{scheduler}", "kms:Decrypt", "{key}", DENIED, via=S3),
    row("{scheduler}", "s3:GetObject", STATE, DENIED),
    row("{scheduler}", "sts:AssumeRole", "{delivery}", DENIED, external_id=DEV_SOURCE),
    row("{scheduler}", "secretsmanager:GetSecretValue", SECRET, DENIED),
    # Delivery: as the role of the destination, under a source ID, through the endpoint for STS.
    row("{task}", "sts:AssumeRole", "{delivery}", ALLOWED, external_id=DEV_SOURCE),
    row("{task}", "sts:AssumeRole", "{delivery}", ALLOWED, external_id=DEV_SOURCE, through="Sts"),
    row("{forwarder}", "sts:AssumeRole", "{delivery}", ALLOWED, external_id=DEV_SOURCE, through="Sts"),
    row("{task}", "sts:AssumeRole", "{delivery}", DENIED),
    row("{task}", "sts:AssumeRole", "{delivery}", DENIED, external_id="another"),
    row("{task}", "sts:AssumeRole", "{execution}", DENIED),
    row("{task}", "sts:AssumeRole", f"arn:aws:iam::{STRANGER}:role/theirs", DENIED, external_id=DEV_SOURCE),
    row(
        "{task}",
        "sts:AssumeRole",
        f"arn:aws:iam::{STRANGER}:role/theirs",
        DENIED,
        through="Sts",
        any_rights=True,
    ),
    row(
        f"arn:aws:iam::{OWNER}:role/headgate-{NAME}-audiences-2",
        "sts:AssumeRole",
        "{delivery}",
        DENIED,
        external_id=DEV_SOURCE,
    ),
    row("{task}", "kinesis:PutRecords", "{stream}", DENIED),
    row("{task}", "kinesis:PutRecords", "{stream}", DENIED, through="KinesisStreams", any_rights=True),
    # The settings, and no other secret.
    row("{task}", "secretsmanager:GetSecretValue", SECRET, ALLOWED),
    row("{task}", "secretsmanager:GetSecretValue", SECRET, ALLOWED, through="SecretsManager"),
    row("{task}", "secretsmanager:GetSecretValue", "{sources}-of-another-AbCdEf", DENIED),
    row("{task}", "secretsmanager:PutSecretValue", SECRET, DENIED),
    row(
        "{task}",
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:{REGION}:{STRANGER}:secret:theirs-AbCdEf",
        DENIED,
        through="SecretsManager",
        any_rights=True,
    ),
    # The state: all of it, and none of the logs beside it.
    *(
        row("{task}", f"s3:{action}", STATE, ALLOWED, through=through)
        for action in ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload")
        for through in ("", "S3")
    ),
    row("{task}", "s3:ListBucket", "{state}", ALLOWED),
    row("{task}", "s3:ListBucket", "{state}", ALLOWED, through="S3"),
    row("{task}", "s3:GetObject", A_LOG, DENIED),
    row("{task}", "s3:DeleteObject", A_LOG, DENIED),
    row("{task}", "s3:DeleteObjectVersion", STATE, DENIED),
    row("{task}", "s3:PutBucketPolicy", "{state}", DENIED),
    row("{task}", "s3:DeleteBucket", "{state}", DENIED),
    row("{execution}", "s3:GetObject", STATE, DENIED, through="S3"),
    row(THEIR_ADMIN, "s3:GetObject", STATE, DENIED),
    row("{task}", "s3:GetObject", STATE, FORBIDDEN, secure="false"),
    row("{task}", "s3:GetObject", STATE, FORBIDDEN, tls="1.1"),
    row(ADMIN, "s3:GetObject", STATE, ALLOWED, tls="1.2"),
    row(
        "logging.s3.amazonaws.com",
        "s3:PutObject",
        A_LOG,
        ALLOWED,
        source_account=OWNER,
        source_arn="{state}",
    ),
    row(
        "logging.s3.amazonaws.com",
        "s3:PutObject",
        A_LOG,
        DENIED,
        source_account=STRANGER,
        source_arn="arn:aws:s3:::theirs",
    ),
    row(
        "logging.s3.amazonaws.com",
        "s3:PutObject",
        STATE,
        DENIED,
        source_account=OWNER,
        source_arn="{state}",
    ),
    # Whoever took a task over finds no bucket of theirs to put anything into.
    *(
        row("{task}", f"s3:{action}", resource, DENIED, through="S3", any_rights=True, owner=STRANGER)
        for action, resource in (
            ("PutObject", "arn:aws:s3:::theirs/audiences/any"),
            ("ListBucket", "arn:aws:s3:::theirs"),
        )
    ),
    row("{task}", "s3:PutObject", "arn:aws:s3:::ours/any", DENIED, through="S3", any_rights=True),
    row("{task}", "s3:PutObject", "arn:aws:s3:::ours/audiences/any", DENIED),
    row(THEIR_ADMIN, "s3:PutObject", STATE, DENIED, through="S3"),
    # The members: read, below their prefix or the one object, through the endpoint for S3.
    *(
        row("{task}", "s3:GetObject", f"{EXPORTS}/{key}", ALLOWED, through=through, owner=owner)
        for key in ("order-completed/any.csv", "lifetime-value.parquet")
        for through in ("", "S3")
        for owner in (OWNER,)
    ),
    row("{task}", "s3:GetObject", f"{EXPORTS}/order-completed-2/any.csv", DENIED),
    row("{task}", "s3:GetObject", f"{EXPORTS}/lifetime-value.parquet.bak", DENIED),
    row("{task}", "s3:GetObject", f"{EXPORTS}/another", DENIED, through="S3", any_rights=True),
    row("{task}", "s3:PutObject", f"{EXPORTS}/order-completed/any.csv", DENIED),
    row("{task}", "s3:DeleteObject", f"{EXPORTS}/lifetime-value.parquet", DENIED),
    row("{task}", "s3:ListBucket", EXPORTS, ALLOWED, prefix="order-completed/"),
    row("{task}", "s3:ListBucket", EXPORTS, ALLOWED, prefix="order-completed/", through="S3"),
    # Of a bucket of another account only what was named for that.
    row(
        "{task}",
        "s3:GetObject",
        f"{EXPORTS}/lifetime-value.parquet",
        ALLOWED,
        through="S3",
        any_rights=True,
    ),
    row("{task}", "s3:ListBucket", EXPORTS, DENIED, prefix="another/"),
    row("{task}", "s3:ListBucket", EXPORTS, DENIED),
    row("{task}", "kms:Decrypt", MEMBERS_KEY, ALLOWED, via=S3),
    row("{task}", "kms:Decrypt", MEMBERS_KEY, DENIED),
    row("{task}", "kms:Decrypt", MEMBERS_KEY, DENIED, via=SQS),
    row("{task}", "kms:GenerateDataKey", MEMBERS_KEY, DENIED, via=S3),
    row("{task}", "kms:Decrypt", "{key}", DENIED, via=SQS),
    # What a sync is never to do.
    row("{task}", "ecs:RunTask", "{buyers}", DENIED, cluster="{cluster}"),
    row("{task}", "iam:PassRole", "{execution}", DENIED, passed_to=ECS_TASKS),
    row("{task}", "sqs:SendMessage", "{failures}", DENIED),
    row("{task}", "sqs:SendMessage", "{overflow}", DENIED),
    row("{task}", "iam:SimulatePrincipalPolicy", "{task}", DENIED),
    # The failures: told by one rule, and by the scheduler; encrypted.
    row(EVENTS, "sqs:SendMessage", "{failures}", ALLOWED, source_arn="{rule}"),
    row(EVENTS, "sqs:SendMessage", "{failures}", DENIED, source_arn="{rule}-2"),
    row(EVENTS, "sqs:SendMessage", "{failures}", DENIED),
    row(EVENTS, "sqs:ReceiveMessage", "{failures}", DENIED, source_arn="{rule}"),
    row(THEIR_ADMIN, "sqs:SendMessage", "{failures}", DENIED),
    row(ADMIN, "sqs:ReceiveMessage", "{failures}", FORBIDDEN, secure="false"),
    row(EVENTS, "kms:GenerateDataKey", "{key}", ALLOWED, source_account=OWNER),
    row(EVENTS, "kms:Decrypt", "{key}", ALLOWED, source_account=OWNER),
    row(EVENTS, "kms:Decrypt", "{key}", DENIED, source_account=STRANGER),
    row(EVENTS, "kms:ScheduleKeyDeletion", "{key}", DENIED, source_account=OWNER),
    row(LOGS, "kms:Decrypt", "{key}", ALLOWED, encrypts_log=f"arn:aws:logs:{REGION}:{OWNER}:log-group:a"),
    row(LOGS, "kms:Decrypt", "{key}", DENIED),
    row(THEIR_ADMIN, "kms:Decrypt", "{key}", DENIED),
]


def described(row: Row) -> str:
    """A row's name in a test's report."""
    parts = [row.caller, row.action, row.resource, row.through, *(text for _, text in row.context)]
    rights = ["any-rights"] if row.any_rights else []
    return "-".join([part.split(":")[-1] for part in parts if part] + rights + [row.verdict])
