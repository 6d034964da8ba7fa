"""What syncs may do, action by action, each on the resources that it needs; and what their scheduler may."""

from collections.abc import Sequence

import jsii
from aws_cdk import IListProducer, IResolveContext, Lazy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.state_bucket import PREFIX
from constructs_lib.forwarder.encryption import key_statement

STATE_ACTIONS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def state_statements(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Return the statements on the state.

    Without the second, S3 says of an object that is not there yet that access is denied.
    """
    return [
        iam.PolicyStatement(
            sid="KeepState", actions=list(STATE_ACTIONS), resources=[bucket.arn_for_objects(f"{PREFIX}*")]
        ),
        iam.PolicyStatement(sid="FindState", actions=["s3:ListBucket"], resources=[bucket.bucket_arn]),
    ]


@jsii.implements(IListProducer)
class Texts:
    """Texts of a statement that grow after it was made: a policy is short, and a statement may not change."""

    def __init__(self, first: str) -> None:
        self._texts = [first]
        # Looked at more than once: a policy is measured with each audience.
        self.token = Lazy.uncached_list(self)

    def add(self, text: str) -> None:
        """Add one, unless it is there."""
        if text not in self._texts:
            self._texts.append(text)

    def produce(self, context: IResolveContext) -> list[str]:
        """Return all of them, when CDK asks."""
        del context
        return self._texts


class MembersStatements:
    """The statements on members: few, however many audiences there are."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._texts: dict[str, Texts] = {}

    def add(self, members: AudienceMembers) -> list[iam.PolicyStatement]:
        """Let one audience's members be read; return the statements that are new, and widen the others."""
        new = []
        if resources := self._widened("read", members.objects_arn):
            new.append(iam.PolicyStatement(sid="ReadMembers", actions=["s3:GetObject"], resources=resources))
        if members.listed_prefix is not None and (
            prefixes := self._widened(members.bucket_arn, f"{members.listed_prefix}*")
        ):
            new.append(
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[members.bucket_arn],
                    conditions={"StringLike": {"s3:prefix": prefixes}},
                )
            )
        key = members.encryption_key
        if key is not None and (keys := self._widened("decrypt", key.key_arn)):
            new.append(key_statement(self._stack, "DecryptMembers", ["kms:Decrypt"], keys, "s3"))
        return new

    def _widened(self, what: str, text: str) -> list[str] | None:
        """Add a text where there is a statement for it; else return the texts of the one to be made."""
        if what in self._texts:
            self._texts[what].add(text)
            return None
        self._texts[what] = Texts(text)
        return self._texts[what].token


def scheduler_trust(stack: Stack, schedules_arn: str) -> iam.IPrincipal:
    """Schedules of one group alone: the scheduler is a service for all, and must not be a confused deputy."""
    return iam.ServicePrincipal(
        "scheduler.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnEquals": {"aws:SourceArn": schedules_arn},
        },
    )


def scheduler_statements(
    stack: Stack, *, roles: Sequence[iam.IRole], failures: sqs.IQueue, failures_key: kms.IKey
) -> list[iam.PolicyStatement]:
    """Return what the scheduler needs for whatever it runs: to pass the roles on, and to say what failed."""
    key_arns = [failures_key.key_arn]
    return [
        iam.PolicyStatement(
            sid="PassRoles",
            actions=["iam:PassRole"],
            resources=[each.role_arn for each in roles],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        iam.PolicyStatement(sid="TellFailures", actions=["sqs:SendMessage"], resources=[failures.queue_arn]),
        key_statement(stack, "EncryptFailures", ["kms:Decrypt", "kms:GenerateDataKey"], key_arns, "sqs"),
    ]


def run_statement(cluster_arn: str, task_definition_arns: list[str]) -> iam.PolicyStatement:
    """Return the statement that lets the scheduler run task definitions, in one cluster alone."""
    return iam.PolicyStatement(
        sid="RunTasks",
        actions=["ecs:RunTask"],
        resources=task_definition_arns,
        conditions={"ArnEquals": {"ecs:cluster": cluster_arn}},
    )
