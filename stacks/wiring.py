"""What several stacks make of an environment's settings."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, SecretValue, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib import EventStream, EventStreamBase
from environments.values import ExistingStream, SecretId


def existing_stream(scope: Construct, construct_id: str, settings: ExistingStream) -> EventStreamBase:
    """Return a stream that is there already, with its key if it has one."""
    key_arn = settings.encryption_key_arn
    return EventStream.from_stream_attributes(
        scope,
        construct_id,
        stream_arn=settings.arn,
        encryption_key=kms.Key.from_key_arn(scope, f"{construct_id}Key", key_arn) if key_arn else None,
    )


def secret_values(secret_ids: Sequence[SecretId] | None) -> list[SecretValue] | None:
    """Return Secret IDs as references that CloudFormation resolves; None for none."""
    if secret_ids is None:
        return None
    return [
        SecretValue.secrets_manager(each.secret_name, json_field=each.json_field, version_id=each.version_id)
        for each in secret_ids
    ]


def output(stack: Stack, logical_id: str, value: str, description: str) -> None:
    """Make an output of a fixed name: users and scripts read it by that."""
    CfnOutput(stack, logical_id, value=value, description=description).override_logical_id(logical_id)
