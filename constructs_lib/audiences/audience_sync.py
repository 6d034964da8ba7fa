"""One audience or computed trait: what is synced, and when."""

import re
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.runner import AudienceRunner
from constructs_lib.audiences.schedule import check_schedule, stale_hours
from constructs_lib.checks import check_integer, known
from constructs_lib.dashboard.alarms import Alarms
from constructs_lib.forwarder.metrics import NAMESPACE
from constructs_lib.forwarder.props import check_size
from constructs_lib.forwarder.task import confined_task

# It is a dimension of metrics, which are ASCII and do not begin with a colon.
_NAME = re.compile(r"(?!:)[\x20-\x7e]{1,255}")
_TEXT = re.compile(r"[^\x00-\x1f]{1,255}")
_SCRATCH = "/tmp"  # noqa: S108 - a volume of the task's own
_RETRY_MINUTES = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sync:
    """What `headgate audience sync` or `headgate trait sync` is told."""

    name: str
    members: str
    source_id: str
    sources: str
    state: str
    service_name: str
    id_column: str
    anonymous_id_column: str | None
    value_column: str | None
    max_records_per_second: int | None
    max_removed: float | None

    @property
    def command(self) -> list[str]:
        """The arguments."""
        kind, files = ("audience", "--members") if self.value_column is None else ("trait", "--values")
        options: dict[str, object] = {
            "--name": self.name,
            files: self.members,
            "--source": self.source_id,
            "--sources": self.sources,
            "--state": self.state,
            "--id-column": self.id_column,
            "--anonymous-id-column": self.anonymous_id_column,
            "--value-column": self.value_column,
            "--max-records-per-second": self.max_records_per_second,
            "--max-removed": self.max_removed,
            "--service-name": self.service_name,
        }
        # With an equals sign, so that a value that begins with a hyphen is none of the options.
        return [kind, "sync", *(f"{name}={value}" for name, value in options.items() if value is not None)]


class AudienceSync(Construct):
    """Syncs one audience or computed trait, each time that its schedule says.

    EventBridge Scheduler starts a task of its own, which compares the members with what every user was last
    told and sends a call for each change. Two of them never run at once: the later one ends with one line.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        runner: where it runs, and as whom.
        name: of the audience or trait, 1 to 255 printable ASCII characters; its key is made of it.
        members: where its members are, or a trait's values.
        source_id: the source whose destinations get the calls.
        schedule: `rate(1 hour)`, or `cron(...)` of six fields.
        time_zone: of a cron schedule, as `Europe/Berlin`.
        id_column: the column of the user IDs; empty where there is none beside `anonymous_id_column`.
        anonymous_id_column: the column of anonymous IDs, which get calls of their own. Default: none.
        value_column: the column of a computed trait's values. Default: none, for an audience.
        max_records_per_second: at most so many calls a second, 1 or more, to leave room for other events.
            Default: what the shards take.
        max_removed: the share of its members that may leave in one sync, above 0 to 1; more is refused.
            Default: the command's own.
        cpu: of the task, in units of 1/1,024 vCPU: 256 to 16,384, as Fargate has them.
        memory_mib: of the task, as Fargate has it for that `cpu`.
        ephemeral_storage_gib: the task's disk, 21 to 200. Default: Fargate's own, 20.
        enabled: whether the schedule is on. Without it there is no alarm on a stale audience either.
        stale_after_hours: the whole hours without a sync that are too many, 1 to 168; 0 for no alarm.
            Default: twice a rate and an hour. A cron schedule needs it.

    Raises:
        ValueError: a prop is out of its range; the text names it and the way out.

    Attributes:
        task_definition: what its schedule runs.
        stale_alarm: goes off when there was no sync for too long; `None` where there is no such alarm.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runner: AudienceRunner,
        name: str,
        members: AudienceMembers,
        source_id: str,
        schedule: str,
        time_zone: str = "UTC",
        id_column: str = "user_id",
        anonymous_id_column: str | None = None,
        value_column: str | None = None,
        max_records_per_second: int | None = None,
        max_removed: float | None = None,
        cpu: int = 1_024,
        memory_mib: int = 2_048,
        ephemeral_storage_gib: int | None = None,
        enabled: bool = True,
        stale_after_hours: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_names(name, source_id, id_column, anonymous_id_column, value_column)
        check_schedule(schedule, time_zone)
        check_size(cpu, memory_mib)
        check_integer("ephemeral_storage_gib", ephemeral_storage_gib, 21, 200, unit=" of GiB")
        check_integer("max_records_per_second", max_records_per_second, 1)
        if max_removed is not None and not 0 < max_removed <= 1:
            raise ValueError(f"max_removed: {max_removed!r} is not allowed; it is a share, above 0 to 1")
        stale_hours_ = stale_hours(schedule, stale_after_hours)
        self._runner, self._name = runner, name

        sync = _Sync(
            name=name,
            members=members.location,
            source_id=source_id,
            sources=runner.settings.location,
            state=runner.state,
            service_name=runner.service_name,
            id_column=id_column,
            anonymous_id_column=anonymous_id_column,
            value_column=value_column,
            max_records_per_second=max_records_per_second,
            max_removed=max_removed,
        )
        self.task_definition = confined_task(
            self,
            "Task",
            container="Audience",
            image=runner.image,
            command=sync.command,
            cpu_architecture=runner.cpu_architecture,
            cpu=cpu,
            memory_mib=memory_mib,
            task_role=runner.task_role,
            execution_role=runner.execution_role,
            log_group=runner.log_group,
            ephemeral_storage_gib=ephemeral_storage_gib,
        )
        self._give_room()
        runner.let_read(members)
        runner.scheduler.run(self.task_definition.task_definition_arn)
        self._schedule(schedule, time_zone, enabled=enabled)
        self.stale_alarm = self._new_stale_alarm(stale_hours_) if enabled and stale_hours_ else None

    def metric(self, metric_name: str, *, period: Duration | None = None) -> cloudwatch.Metric:
        """One of its metrics that docs/metrics.md lists: a sum, over 5 minutes unless told otherwise."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"Service": self._runner.service_name, "Audience": self._name},
            statistic="Sum",
            period=period,
        )

    def _give_room(self) -> None:
        """Let the task write to one directory, on its disk, which goes with it."""
        self.task_definition.add_volume(name="scratch")
        container = self.task_definition.default_container
        assert container is not None  # noqa: S101 - the one that was made with the definition
        container.add_mount_points(
            ecs.MountPoint(container_path=_SCRATCH, source_volume="scratch", read_only=False)
        )

    def _schedule(self, expression: str, time_zone: str, *, enabled: bool) -> None:
        runner, of = self._runner, scheduler.CfnSchedule
        schedule = of(
            self,
            "Schedule",
            description="Syncs an audience",
            group_name=runner.schedules.ref,
            schedule_expression=expression,
            schedule_expression_timezone=time_zone,
            state="ENABLED" if enabled else "DISABLED",
            flexible_time_window=of.FlexibleTimeWindowProperty(mode="OFF"),
            target=of.TargetProperty(
                arn=runner.cluster.cluster_arn,
                role_arn=runner.scheduler.role.role_arn,
                ecs_parameters=of.EcsParametersProperty(
                    task_definition_arn=self.task_definition.task_definition_arn,
                    task_count=1,
                    launch_type="FARGATE",
                    platform_version="1.4.0",
                    group=runner.task_group,
                    network_configuration=of.NetworkConfigurationProperty(
                        awsvpc_configuration=of.AwsVpcConfigurationProperty(
                            subnets=runner.network.task_subnet_ids,
                            security_groups=[runner.security_group.security_group_id],
                            assign_public_ip="DISABLED",
                        )
                    ),
                ),
                retry_policy=of.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_RETRY_MINUTES * 60, maximum_retry_attempts=20
                ),
                dead_letter_config=of.DeadLetterConfigProperty(arn=runner.failure_queue.queue_arn),
            ),
        )
        schedule.node.add_dependency(*runner.needs)

    def _new_stale_alarm(self, hours: int) -> cloudwatch.Alarm:
        alarms = Alarms(self, self._runner.alarm_actions)
        alarms.add(
            "Stale",
            # An alarm looks back seven days where its periods are hours, and one day where they are shorter.
            self.metric("AudienceSyncs", period=Duration.hours(1)),
            1,
            minutes=(hours, hours),
            too_few=True,
            what_to_do=f"No sync of {self._name} for {hours} hours: its users hear of no change. "
            "Look into the queue of failures and the log.",
            where="docs/deploy.md, Audiences",
        )
        [alarm] = alarms.made
        return alarm


def _check_names(
    name: str,
    source_id: str,
    id_column: str,
    anonymous_id_column: str | None,
    value_column: str | None,
) -> None:
    if known(name) and not _NAME.fullmatch(name):
        raise ValueError(
            f"name: {name!r} is not allowed; it must be 1 to 255 printable ASCII characters, "
            "the first of them no colon"
        )
    if not id_column and not anonymous_id_column:
        raise ValueError("id_column: it may be empty only beside anonymous_id_column; name one of the two")
    texts = {
        "source_id": source_id,
        "id_column": id_column or None,
        "anonymous_id_column": anonymous_id_column,
        "value_column": value_column,
    }
    for prop, text in texts.items():
        if text is not None and known(text) and not _TEXT.fullmatch(text):
            raise ValueError(f"{prop}: {text!r} is not allowed; it must be 1 to 255 printable characters")
