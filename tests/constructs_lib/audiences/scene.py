"""Audiences in a stack, with the least that they take, beside a forwarder or by themselves."""

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from constructs_lib.audiences import AudienceMembers, AudienceRunner, AudienceSync
from constructs_lib.forwarder import ForwarderDestination
from tests.constructs_lib.forwarder.scene import ROLE_ARN, Scene, stream

BUYERS, VALUE = "Order completed last 30days", "Lifetime value"
TOPIC_ARN = "arn:aws:sns:us-west-2:123456789012:on-call"


def runner(scope: Construct, construct_id: str = "Audiences", /, **props: Any) -> AudienceRunner:
    """A runner with the least that it takes, plus `props`; its image comes from a registry."""
    number = len(scope.node.children)
    required: dict[str, Any] = {
        "sources": lambda: secretsmanager.Secret.from_secret_name_v2(
            scope, f"Settings{number}", "headgate/sources"
        ),
        "destinations": lambda: [ForwarderDestination(stream=stream(scope), role_arn=ROLE_ARN)],
        "image": lambda: ecs.ContainerImage.from_registry("registry.example.com/headgate"),
    }
    given = {name: make() for name, make in required.items() if name not in props}
    return AudienceRunner(scope, construct_id, **given, **props)


def sync(on: AudienceRunner, construct_id: str = "Buyers", /, **props: Any) -> AudienceSync:
    """An audience with the least that it takes, plus `props`."""
    required: dict[str, Any] = {
        "name": BUYERS,
        "members": AudienceMembers(location="s3://exports/buyers/"),
        "source_id": "8kf3Qw2LpZ",
        "schedule": "rate(1 hour)",
    }
    return AudienceSync(on, construct_id, runner=on, **(required | props))


def on_call(scope: Construct) -> cloudwatch.IAlarmAction:
    return SnsAction(sns.Topic.from_topic_arn(scope, "OnCall", TOPIC_ARN))


class Beside(Scene):
    """A runner beside a forwarder, with an audience and a trait."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = runner(
            self.stack,
            forwarder=self.forwarder,
            task_role_name="events-audiences",
            alarm_actions=[on_call(self.stack)],
        )
        self.audience = sync(self.runner)
        self.trait = sync(
            self.runner,
            "Value",
            name=VALUE,
            members=AudienceMembers(location="s3://exports/value.parquet"),
            value_column="lifetime_value",
            anonymous_id_column="anonymous_id",
            schedule="cron(0 6 * * ? *)",
            time_zone="America/Los_Angeles",
            max_records_per_second=500,
            max_removed=0.2,
            cpu=4_096,
            memory_mib=8_192,
            ephemeral_storage_gib=100,
            stale_after_hours=50,
        )

    def task(self, of: AudienceSync) -> dict[str, Any]:
        return self.properties(of.task_definition)

    def command(self, of: AudienceSync) -> list[Any]:
        [container] = self.task(of)["ContainerDefinitions"]
        found: list[Any] = container["Command"]
        return found

    def schedule(self, of: AudienceSync) -> dict[str, Any]:
        child = of.node.find_child("Schedule")
        found: dict[str, Any] = self.resources[self.stack.get_logical_id(child)]["Properties"]  # type: ignore[arg-type]
        return found
