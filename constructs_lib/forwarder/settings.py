"""Where a forwarder's settings are: what it is told, what it may do there, and how it gets there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.forwarder.encryption import key_statement


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsPlace:
    """A place of settings.

    Attributes:
        location: what `--sources` says.
        statements: what the task role may do there.
        endpoint: the interface endpoint that leads there.
        actions: what is called through it.
        arn: what it is called on.
    """

    location: str
    statements: Sequence[iam.PolicyStatement]
    endpoint: str
    actions: Sequence[str]
    arn: str


@runtime_checkable
class Settings(Protocol):
    """What holds settings: a `SettingsTable`. Whoever has none need not load DynamoDB's constructs."""

    @property
    def place(self) -> SettingsPlace:
        """Where they are."""
        ...


def settings_place(sources: secretsmanager.ISecret | Settings, stack: Stack) -> SettingsPlace:
    """Return where settings are that a forwarder in `stack` follows."""
    if isinstance(sources, Settings):
        return sources.place
    arn = secret_arn(sources)
    read = ["secretsmanager:GetSecretValue"]
    statements = [iam.PolicyStatement(sid="ReadSettings", actions=read, resources=[arn])]
    if sources.encryption_key is not None:
        keys = [sources.encryption_key.key_arn]
        statements.append(key_statement(stack, "DecryptSettings", ["kms:Decrypt"], keys, "secretsmanager"))
    return SettingsPlace(
        location=f"secretsmanager://{sources.secret_full_arn or sources.secret_name}",
        statements=statements,
        endpoint="SecretsManager",
        actions=read,
        arn=arn,
    )


def secret_arn(secret: secretsmanager.ISecret) -> str:
    """Return the secret's ARN for a policy; where only its name is known, with `?` for AWS' letters."""
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"
