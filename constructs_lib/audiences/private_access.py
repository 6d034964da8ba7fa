"""Syncs of audiences through the VPC endpoints of a forwarder's network."""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.permissions import STATE_ACTIONS
from constructs_lib.audiences.state_bucket import PREFIX
from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.endpoints import ObjectAccess, PrivateEndpoints
from constructs_lib.forwarder.settings import Settings, settings_place

_S3 = f"arn:{Aws.PARTITION}:s3:::"


def let_through(
    endpoints: PrivateEndpoints,
    *,
    task_role_arn: str,
    destinations: Sequence[ForwarderDestination],
    sources: secretsmanager.ISecret | Settings,
    members: Sequence[AudienceMembers] = (),
) -> None:
    """Open a network's endpoints for an `AudienceRunner` beside a forwarder, or by itself.

    Where the two are in one stack the constructs do it. Otherwise the stack of the network does, with the
    ARN of the runner's task role by its name: the stacks then need no reference in this direction.

    Args:
        endpoints: the endpoints.
        task_role_arn: what syncs run as.
        destinations: the runner's.
        sources: the runner's.
        members: those of its audiences.
    """
    endpoints.allow_records(destinations)
    endpoints.allow_assuming(task_role_arn, destinations)
    endpoints.allow_settings(task_role_arn, settings_place(sources, Stack.of(endpoints)))
    # The bucket of the state may be of another stack, so it is not named: any of this account.
    for actions, resource in ((STATE_ACTIONS, f"{_S3}*/{PREFIX}*"), (("s3:ListBucket",), f"{_S3}*")):
        endpoints.allow_objects(
            task_role_arn, ObjectAccess(actions=actions, resources=[resource], own_account=True)
        )
    for each in members:
        let_read(endpoints, task_role_arn=task_role_arn, members=each)


def let_read(endpoints: PrivateEndpoints, *, task_role_arn: str, members: AudienceMembers) -> None:
    """Open a network's endpoint for S3 for the members of one more audience."""
    endpoints.allow_objects(
        task_role_arn, ObjectAccess(actions=["s3:GetObject"], resources=[members.objects_arn])
    )
    if members.listed_prefix is not None:
        endpoints.allow_objects(
            task_role_arn, ObjectAccess(actions=["s3:ListBucket"], resources=[members.bucket_arn])
        )
