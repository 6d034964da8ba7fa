"""What the forwarder's stack and that of the audiences beside it make of the same settings."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from environments.forwarder import Forwarder


def sources_secret(scope: Construct, settings: Forwarder) -> secretsmanager.ISecret | None:
    """Return the secret that holds the settings; None where a table does."""
    name, key_arn = settings.sources_secret, settings.sources_key_arn
    if name is None:
        return None
    if name.startswith("arn:"):
        return secretsmanager.Secret.from_secret_attributes(
            scope,
            "Sources",
            secret_complete_arn=name,
            encryption_key=kms.Key.from_key_arn(scope, "SourcesKey", key_arn) if key_arn else None,
        )
    return secretsmanager.Secret.from_secret_name_v2(scope, "Sources", name)


def alarm_actions(scope: Construct, settings: Forwarder) -> list[cloudwatch.IAlarmAction]:
    """Return what alarms tell: the environment's topic, or nobody."""
    arn = settings.alarm_topic_arn
    return [SnsAction(sns.Topic.from_topic_arn(scope, "AlarmTopic", arn))] if arn else []


def audience_role_name(environment: str) -> str:
    """Return the name of the role that an environment's syncs of audiences run as."""
    return f"headgate-{environment}-audiences"
