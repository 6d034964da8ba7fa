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
        iam.PolicyStatement(
            sid="AssumeDestinationRoles",
            actions=["sts:AssumeRole"],
            resources=list(dict.fromkeys(each.role_arn for each in destinations)),
        ),
        iam.PolicyStatement(
            sid="SpillAndDrain", actions=list(OVERFLOW_ACTIONS), resources=[queues.overflow.queue_arn]
        ),
        iam.PolicyStatement(
            sid="BuryDeadLetters",
            actions=list(DEAD_LETTER_ACTIONS),
            resources=[queues.dead_letters.queue_arn],
        ),
        _key_statement(stack, "EncryptQueues", ["kms:Decrypt", "kms:GenerateDataKey"], queue_key, "sqs"),
        iam.PolicyStatement(
            sid="ReadSettings", actions=["secretsmanager:GetSecretValue"], resources=[secret_arn(sources)]
        ),
        *(
            [
                _key_statement(
                    stack, "DecryptSettings", ["kms:Decrypt"], sources.encryption_key, "secretsmanager"
                )
            ]
            if sources.encryption_key is not None
            else []
        ),
    ]


def secret_arn(secret: secretsmanager.ISecret) -> str:
    """Return the secret's ARN for a policy; where only its name is known, with `?` for AWS' letters."""
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"


def _key_statement(
    stack: Stack, sid: str, actions: list[str], key: kms.IKey, service: str
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        actions=actions,
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}},
    )
