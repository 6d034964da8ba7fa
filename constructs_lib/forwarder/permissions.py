"""What the task role may do, action by action, each on the resources that it needs."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.encryption import key_statement
from constructs_lib.forwarder.queues import DEAD_LETTER_ACTIONS, OVERFLOW_ACTIONS, ForwarderQueues
from constructs_lib.forwarder.settings import SettingsPlace


def task_statements(
    stack: Stack,
    *,
    destinations: Sequence[ForwarderDestination],
    queues: ForwarderQueues,
    queue_key: kms.IKey,
    settings: SettingsPlace,
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
        *settings.statements,
    ]


def assume_destinations(destinations: Sequence[ForwarderDestination]) -> iam.PolicyStatement:
    """Return the statement that lets a task deliver: as the role of each destination, and in no other way."""
    return iam.PolicyStatement(
        sid="AssumeDestinationRoles",
        actions=["sts:AssumeRole"],
        resources=list(dict.fromkeys(each.role_arn for each in destinations)),
    )
