"""The audiences: what syncs each of them on its schedule, beside the environment's forwarder."""

import re
from collections.abc import Sequence
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.audiences import AudienceMembers, AudienceRunner, AudienceSync
from environments.audience import Audience
from environments.forwarder import Forwarder
from stacks.forwarder import ForwarderStack
from stacks.forwarder_wiring import alarm_actions, audience_role_name, sources_secret
from stacks.wiring import output


class AudienceStack(Stack):
    """One environment's audiences and computed traits.

    Their tasks run in the forwarder's network and cluster, read the forwarder's settings, and assume the
    roles of its destinations as a role of their own, `headgate-ENVIRONMENT-audiences`.

    Attributes:
        runner: what they share.
        syncs: the audiences.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        audiences: Sequence[Audience],
        settings: Forwarder,
        beside: ForwarderStack,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self.runner = AudienceRunner(
            self,
            "Audiences",
            sources=sources_secret(self, settings) or beside.sources,
            destinations=beside.destinations,
            forwarder=beside.forwarder,
            cpu_architecture=getattr(ecs.CpuArchitecture, settings.cpu_architecture.upper()),
            task_role_name=audience_role_name(name),
            alarm_actions=alarm_actions(self, settings),
            removal_policy=RemovalPolicy[settings.removal_policy.upper()],
        )
        self.syncs = [self._sync(each) for each in audiences]
        runner = self.runner
        output(self, "TaskRole", runner.task_role.role_arn, "Whom buckets and roles elsewhere are to trust")
        output(self, "StateBucket", runner.state_bucket.bucket_name, "What every user was last told")
        output(
            self,
            "FailureQueue",
            runner.failure_queue.queue_url,
            "A message for each run that failed, and why",
        )

    def _sync(self, audience: Audience) -> AudienceSync:
        construct_id = _id_of(audience)
        key_arn = audience.members_key_arn
        return AudienceSync(
            self,
            construct_id,
            runner=self.runner,
            name=audience.name,
            members=AudienceMembers(
                location=audience.members,
                encryption_key=kms.Key.from_key_arn(self, f"{construct_id}Key", key_arn) if key_arn else None,
            ),
            source_id=audience.source_id,
            schedule=audience.schedule,
            time_zone=audience.time_zone,
            id_column=audience.id_column,
            anonymous_id_column=audience.anonymous_id_column,
            value_column=audience.value_column,
            max_records_per_second=audience.max_records_per_second,
            max_removed=audience.max_removed,
            cpu=audience.cpu,
            memory_mib=audience.memory_mib,
            ephemeral_storage_gib=audience.ephemeral_storage_gib,
            enabled=audience.enabled,
            stale_after_hours=audience.stale_after_hours,
        )


def _id_of(audience: Audience) -> str:
    """Return the audience's place in the stack, whatever the order of the file: its name and its source."""
    words = re.findall("[A-Za-z0-9]+", audience.name)
    return f"{''.join(word[0].upper() + word[1:] for word in words)}Of{audience.source_id}"
