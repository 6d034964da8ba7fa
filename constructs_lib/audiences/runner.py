"""What the syncs of several audiences share: where they run, as whom, and where their state is."""

from collections.abc import Sequence

from aws_cdk import Duration, Names, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IDependable

from constructs_lib.audiences.failures import Failures
from constructs_lib.audiences.members import AudienceMembers
from constructs_lib.audiences.place import Logging, place_of, same_stack, security_group
from constructs_lib.audiences.private_access import let_read, let_through
from constructs_lib.audiences.roles import SchedulerRole, TaskRole
from constructs_lib.audiences.state_bucket import PREFIX, state_bucket
from constructs_lib.checks import check_role_name
from constructs_lib.dashboard.alarms import Alarms
from constructs_lib.forwarder import Forwarder, ForwarderDestination, ForwarderNetwork
from constructs_lib.forwarder.encryption import forwarder_key
from constructs_lib.forwarder.image import audiences_image
from constructs_lib.forwarder.props import check_service_name
from constructs_lib.forwarder.settings import Settings, settings_place
from constructs_lib.removal import check_removal


class AudienceRunner(Construct):
    r"""Where the syncs of audiences run, and as whom; each `AudienceSync` is one audience of it.

    Beside a forwarder it shares network, cluster, log and execution role, and costs next to nothing while no
    sync runs. By itself it takes a network. Nothing can reach its tasks.

    What they may do is assume the roles of their destinations, read their settings and the members of their
    audiences, and keep their state.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        sources: where the settings are, a secret with a `sources.toml` or a `SettingsTable`: the forwarder's
            own, beside one.
        destinations: where calls may go, one or more: the destinations of the audiences' sources.
        forwarder: the forwarder beside which syncs run.
        network: where they run, in its place.
        image: the container image. Default: built from this version of Headgate when it is deployed.
        cpu_architecture: default ARM64, which costs a fifth less. An `image` must be of the same.
        task_role_name: name of the task role, 1 to 64 of `[\w+=,.@-]`. `forwarder_principal` trusts it by
            that name.
        service_name: the dimension Service of its metrics. Default: the forwarder's, or `headgate`.
        alarm_actions: what is told when an alarm goes off, and when it is over.
        removal_policy: what becomes of its key, and of its own log, when the stack lets go of them. Default:
            RETAIN. DESTROY counts only where the context key `headgate:allow-destroy` is true too. The state
            stays in any case.

    Raises:
        ValueError: a prop is out of its range or excludes another; the text names it and the way out.

    Attributes:
        cluster: the ECS cluster.
        task_role: what syncs run as.
        execution_role: what ECS acts as for them.
        log_group: the log, and the metrics in it.
        state_bucket: what every user was last told.
        failure_queue: a message for each run that failed, in AWS' words.
        failure_alarm: goes off when there is one.
        service_name: the dimension Service of its metrics.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: secretsmanager.ISecret | Settings,
        destinations: Sequence[ForwarderDestination],
        forwarder: Forwarder | None = None,
        network: ForwarderNetwork | None = None,
        image: ecs.ContainerImage | None = None,
        cpu_architecture: ecs.CpuArchitecture | None = None,
        task_role_name: str | None = None,
        service_name: str | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        if not destinations:
            raise ValueError("destinations: an empty list lets calls go nowhere; give one or more")
        check_role_name("task_role_name", task_role_name)
        check_removal(self, removal_policy, what_goes="the log", no_snapshot_of="a log")
        key = forwarder_key(self, "Key", removal_policy=removal_policy)
        place = place_of(self, forwarder, network, Logging(key, removal_policy))
        self.network = place.network
        self.cluster = place.cluster
        self.execution_role = place.execution_role
        self.log_group = place.log_group
        self.service_name = service_name or place.service_name
        check_service_name(self.service_name)
        self.settings = settings_place(sources, Stack.of(self))
        self.cpu_architecture = cpu_architecture or ecs.CpuArchitecture.ARM64
        self.image = image or audiences_image(self, "Image", cpu_architecture=self.cpu_architecture)
        self.state_bucket = state_bucket(self, "State")
        self.security_group = security_group(self, "SecurityGroup", self.network)
        self._task = TaskRole(
            self,
            "TaskRole",
            role_name=task_role_name,
            destinations=destinations,
            settings=self.settings,
            state=self.state_bucket,
        )
        self.task_role = self._task.role
        self.schedules = scheduler.CfnScheduleGroup(self, "Schedules")
        # ECS runs the tasks in this group; nothing else in the cluster is in it.
        self.task_group = Names.unique_resource_name(self, max_length=255)
        self.failure_queue = Failures(
            self,
            "Failures",
            cluster_arn=self.cluster.cluster_arn,
            group=self.task_group,
            encryption_key=key,
        ).queue
        self.scheduler = SchedulerRole(
            self,
            "SchedulerRole",
            schedules=self.schedules,
            cluster_arn=self.cluster.cluster_arn,
            passes=[self.task_role, self.execution_role],
            failures=self.failure_queue,
            failures_key=key,
        )
        self.alarm_actions = alarm_actions
        self.failure_alarm = self._new_failure_alarm()
        # Those of another stack are opened there.
        endpoints = self.network.endpoints
        self._endpoints = endpoints if same_stack(self, self.network) else None
        if self._endpoints is not None:
            let_through(
                self._endpoints,
                task_role_arn=self.task_role.role_arn,
                destinations=destinations,
                sources=sources,
            )
        elif endpoints is not None and task_role_name is None:
            raise ValueError(
                "task_role_name: the VPC endpoints are another stack's, which lets syncs through by the name "
                "of their task role; give it one"
            )
        self._roles = [each.role for each in destinations if each.role is not None]

    @property
    def state(self) -> str:
        """Where the state is, as the command is told."""
        return f"s3://{self.state_bucket.bucket_name}/{PREFIX}"

    @property
    def needs(self) -> list[IDependable]:
        """What has to be there before a sync is started."""
        return [self._task.policy, self.scheduler.policy, *self._roles, *self.network.way_out]

    def let_read(self, members: AudienceMembers) -> None:
        """Let syncs read the members of one more audience.

        Raises:
            ValueError: the task role's policy has no room for them.
        """
        self._task.read(members)
        if self._endpoints is not None:
            let_read(self._endpoints, task_role_arn=self.task_role.role_arn, members=members)

    def _new_failure_alarm(self) -> cloudwatch.Alarm:
        alarms = Alarms(self, self.alarm_actions)
        alarms.add(
            "FailedSyncs",
            self.failure_queue.metric("NumberOfMessagesSent", statistic="Sum", period=Duration.minutes(5)),
            1,
            what_to_do="A sync of an audience failed, or did not begin: a message in the queue of failures "
            "says which and why, and the log says more. The next one goes on where it was.",
            where="docs/deploy.md, Audiences",
        )
        [alarm] = alarms.made
        return alarm
