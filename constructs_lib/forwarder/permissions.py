"""What the task role may do, action by action, each on the resources that it needs."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.queues import DEAD_LETTER_ACTIONS, OVERFLOW_ACTIONS, ForwarderQueues


def task_statements(
    stack: Stack,
    *,
    destinations: Sequence[ForwarderDestination],
    queues: ForwarderQueues,
    queue_key: kms.IKey,
    sources: secretsmanager.ISecret,
) -> list[iam.PolicyStatement]:
    """Return the statements of the task role's policy."""
    return [
        assume_destinations(destinations),
        iam.PolicyStatement(
            sid="SpillAndDrain", actions=list(OVERFLOW_ACTIONS), resources=[queues.overflow.queue_arn]
        ),
        iam.PolicyStatement(
            sid="BuryDeadLetters",
            actions=list(DEAD_LETTER_ACTIONS),
            resources=[queues.dead_letters.queue_arn],
        ),
        key_statement(
            stack, "EncryptQueues", ["kms:Decrypt", "kms:GenerateDataKey"], [queue_key.key_arn], "sqs"
        ),
        *read_settings(stack, sources),
    ]


def assume_destinations(destinations: Sequence[ForwarderDestination]) -> iam.PolicyStatement:
    """Return the statement that lets a task deliver: as the role of each destination, and in no other way."""
    return iam.PolicyStatement(
        sid="AssumeDestinationRoles",
        actions=["sts:AssumeRole"],
        resources=list(dict.fromkeys(each.role_arn for each in destinations)),
    )


def read_settings(stack: Stack, sources: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Return the statements that let a task read its settings."""
    statements = [
        iam.PolicyStatement(
            sid="ReadSettings", actions=["secretsmanager:GetSecretValue"], resources=[secret_arn(sources)]
        )
    ]
    if sources.encryption_key is not None:
        keys = [sources.encryption_key.key_arn]
        statements.append(key_statement(stack, "DecryptSettings", ["kms:Decrypt"], keys, "secretsmanager"))
    return statements


def secret_arn(secret: secretsmanager.ISecret) -> str:
    """Return the secret's ARN for a policy; where only its name is known, with `?` for AWS' letters."""
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"


def key_statement(
    stack: Stack, sid: str, actions: list[str], key_arns: list[str], service: str
) -> iam.PolicyStatement:
    """Return the statement that lets a task use keys through one service of AWS, and not by itself."""
    return iam.PolicyStatement(
        sid=sid,
        actions=actions,
        resources=key_arns,
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}},
    )
