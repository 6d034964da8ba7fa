"""What runs in each task: one container that may do nothing but listen, deliver and log."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.forwarder.load_balancer import PORT
from constructs_lib.forwarder.timing import DRAIN_SECONDS, STOP_TIMEOUT_SECONDS

USER = "65532:65532"
"""Nobody that any image knows by name; not root."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """What `headgate serve` is told.

    Attributes:
        sources: where the settings are, as `secretsmanager://...` or `dynamodb://...`.
        public_url: where clients reach it.
        overflow_queue: URL.
        dead_letter_queue: URL.
        workers: processes.
        service_name: the dimension Service of its metrics.
    """

    sources: str
    public_url: str
    overflow_queue: str
    dead_letter_queue: str
    workers: int
    service_name: str

    @property
    def command(self) -> list[str]:
        """The arguments; none of them is a secret, so that the task definition holds none."""
        return [
            "serve",
            *("--sources", self.sources),
            *("--host", "0.0.0.0"),  # noqa: S104 - the security group decides who may reach it
            *("--port", str(PORT)),
            *("--workers", str(self.workers)),
            *("--forwarded-hops", "1"),
            *("--public-url", self.public_url),
            *("--drain", str(DRAIN_SECONDS)),
            *("--overflow-queue", self.overflow_queue),
            *("--dead-letter-queue", self.dead_letter_queue),
            *("--service-name", self.service_name),
        ]


def task_definition(
    scope: Construct,
    construct_id: str,
    *,
    serving: Serving,
    image: ecs.ContainerImage,
    cpu_architecture: ecs.CpuArchitecture,
    cpu: int,
    memory_mib: int,
    task_role: iam.IRole,
    execution_role: iam.IRole,
    log_group: logs.ILogGroup,
) -> ecs.FargateTaskDefinition:
    """Return the task definition of a forwarder."""
    definition = ecs.FargateTaskDefinition(
        scope,
        construct_id,
        cpu=cpu,
        memory_limit_mib=memory_mib,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=cpu_architecture, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
        task_role=task_role,
        execution_role=execution_role,
    )
    linux = ecs.LinuxParameters(definition, "Linux", init_process_enabled=True)
    linux.drop_capabilities(ecs.Capability.ALL)
    definition.add_container(
        "Forwarder",
        image=image,
        command=serving.command,
        essential=True,
        user=USER,
        readonly_root_filesystem=True,
        privileged=False,
        linux_parameters=linux,
        stop_timeout=Duration.seconds(STOP_TIMEOUT_SECONDS),
        port_mappings=[ecs.PortMapping(container_port=PORT)],
        health_check=ecs.HealthCheck(
            command=["CMD", "python3", "-m", "headgate.health"],
            interval=Duration.seconds(15),
            timeout=Duration.seconds(5),
            retries=3,
            start_period=Duration.seconds(30),
        ),
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix="forwarder",
            log_group=log_group,
            # A log that cannot be written must not stop events from being delivered.
            mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            max_buffer_size=Size.mebibytes(25),
        ),
    )
    return definition


def execution_role(scope: Construct, construct_id: str) -> iam.Role:
    """Return what ECS acts as before the container runs; CDK adds what the image and the log need."""
    return iam.Role(
        scope,
        construct_id,
        description="ECS fetches the forwarder's image and writes its log as this role",
        assumed_by=_tasks_of(scope),
    )


def task_role(scope: Construct, construct_id: str, *, role_name: str | None) -> iam.Role:
    """Return what the forwarder itself runs as."""
    return iam.Role(
        scope,
        construct_id,
        role_name=role_name,
        description="The forwarder assumes its destinations' roles as this role",
        assumed_by=_tasks_of(scope),
    )


def _tasks_of(scope: Construct) -> iam.IPrincipal:
    """Tasks of this account alone: ECS is a service for all, and must not be a confused deputy."""
    stack = Stack.of(scope)
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}:*"},
        },
    )


def task_policy(
    scope: Construct,
    construct_id: str,
    *,
    role: iam.IRole,
    statements: Sequence[iam.PolicyStatement],
) -> iam.ManagedPolicy:
    """Return the managed policy with all that the task role may do."""
    return iam.ManagedPolicy(
        scope,
        construct_id,
        description="Use of destinations' roles, queues and settings by a forwarder",
        roles=[role],
        document=iam.PolicyDocument(statements=list(statements)),
    )
