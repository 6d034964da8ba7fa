"""What syncs run as, and what the scheduler starts them as; both may do more with each audience."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.audiences import permissions
from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.state_bucket import PREFIX
from constructs_lib.delivery_policy import MANAGED_POLICY_QUOTA
from constructs_lib.forwarder import ForwarderDestination, task
from constructs_lib.forwarder.permissions import assume_destinations
from constructs_lib.forwarder.settings import SettingsPlace
from constructs_lib.policy_size import policy_size

_SHORTEST_ARN = len("arn:aws:s3:::abc")


class TaskRole(Construct):
    """What syncs run as: deliver, read settings and members, keep state.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        role_name: 1 to 64 of IAM's characters. Default: CloudFormation makes one.
        destinations: where calls may go.
        settings: where they are.
        state: the bucket of the state.

    Attributes:
        role: the role.
        policy: its managed policy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role_name: str | None,
        destinations: Sequence[ForwarderDestination],
        settings: SettingsPlace,
        state: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = task.task_role(self, "Resource", role_name=role_name, of="sync of audiences")
        self._members = permissions.MembersStatements(stack)
        self.policy = task.task_policy(
            self,
            "Policy",
            role=self.role,
            statements=[
                assume_destinations(destinations),
                *settings.statements,
                *permissions.state_statements(state),
            ],
            description="Use of destinations' roles, settings, members and state by syncs of audiences",
        )
        self._acknowledge(
            state.arn_for_objects(f"{PREFIX}*"), "Its own state, of which each sync has new files"
        )

    def read(self, members: AudienceMembers) -> None:
        """Let one more audience's members be read.

        Raises:
            ValueError: a managed policy has no room for them.
        """
        self.policy.add_statements(*self._members.add(members))
        if members.listed_prefix is not None:
            self._acknowledge(
                members.objects_arn, "Each export of an audience's members has files of its own"
            )
        size = policy_size(Stack.of(self), self.policy.document, unknown=_SHORTEST_ARN)
        if size > MANAGED_POLICY_QUOTA:
            raise ValueError(
                f"members: with {members.location} the task role's policy has {size:,} characters; "
                f"allowed: {MANAGED_POLICY_QUOTA:,}. Make another AudienceRunner for the rest"
            )

    def _acknowledge(self, objects_arn: str, reason: str) -> None:
        """Acknowledge one wildcard: of S3 keys, below one prefix, which cdk-nag names as it is deployed."""
        rule = f"AwsSolutions::AwsSolutions-IAM5[Resource::{_as_named(Stack.of(self), objects_arn)}]"
        Validations.of(self.policy).acknowledge(Acknowledgment(id=rule, reason=reason))


def _as_named(stack: Stack, arn: str) -> str:
    """Return an ARN as cdk-nag writes it, with `<...>` for what CloudFormation knows."""
    match stack.resolve(arn):
        case {"Fn::Join": [_, parts]}:
            return "".join(part if isinstance(part, str) else f"<{_name(part)}>" for part in parts)
        case text:
            return str(text)


def _name(reference: dict[str, Any]) -> str:
    match reference:
        case {"Fn::GetAtt": names}:
            return ".".join(names)
        case _:
            return str(reference.get("Ref"))


class SchedulerRole(Construct):
    """What EventBridge Scheduler starts syncs as: those of one group of schedules, in one cluster.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        schedules: the group of schedules.
        cluster_arn: the cluster.
        passes: the roles of what it runs.
        failures: the queue for what it could not start.
        failures_key: that queue's key.

    Attributes:
        role: the role.
        policy: its managed policy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        schedules: scheduler.CfnScheduleGroup,
        cluster_arn: str,
        passes: Sequence[iam.IRole],
        failures: sqs.IQueue,
        failures_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Resource",
            description="EventBridge Scheduler starts syncs of audiences as this role",
            assumed_by=permissions.scheduler_trust(Stack.of(self), schedules.attr_arn),
        )
        self._cluster_arn = cluster_arn
        self._run: permissions.Texts | None = None
        self.policy = task.task_policy(
            self,
            "Policy",
            role=self.role,
            statements=permissions.scheduler_statements(
                Stack.of(self), roles=passes, failures=failures, failures_key=failures_key
            ),
            description="Start of syncs of audiences by EventBridge Scheduler",
        )

    def run(self, task_definition_arn: str) -> None:
        """Let one more task definition be run, in that one revision."""
        if self._run is not None:
            self._run.add(task_definition_arn)
            return
        self._run = permissions.Texts(task_definition_arn)
        self.policy.add_statements(permissions.run_statement(self._cluster_arn, self._run.token))
