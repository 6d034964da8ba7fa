"""What runs in each task: one container that may do nothing but listen, deliver and log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Acknowledgment, Duration, Size, Stack, Validations
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.forwarder.load_balancer import PORT
from constructs_lib.forwarder.timing import DRAIN_SECONDS, STOP_TIMEOUT_SECONDS

_TOKEN_PULL = Acknowledgment(
    id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
    reason="ecr:GetAuthorizationToken knows no resource; the layers themselves are granted by repository",
)

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
    return confined_task(
        scope,
        construct_id,
        container="Forwarder",
        image=image,
        command=serving.command,
        cpu_architecture=cpu_architecture,
        cpu=cpu,
        memory_mib=memory_mib,
        task_role=task_role,
        execution_role=execution_role,
        log_group=log_group,
        stop_timeout=Duration.seconds(STOP_TIMEOUT_SECONDS),
        port_mappings=[ecs.PortMapping(container_port=PORT)],
        health_check=ecs.HealthCheck(
            command=["CMD", "python3", "-m", "headgate.health"],
            interval=Duration.seconds(15),
            timeout=Duration.seconds(5),
            retries=3,
            start_period=Duration.seconds(30),
        ),
    )


def confined_task(
    scope: Construct,
    construct_id: str,
    *,
    container: str,
    image: ecs.ContainerImage,
    command: Sequence[str],
    cpu_architecture: ecs.CpuArchitecture,
    cpu: int,
    memory_mib: int,
    task_role: iam.IRole,
    execution_role: iam.IRole,
    log_group: logs.ILogGroup,
    ephemeral_storage_gib: int | None = None,
    **options: Any,
) -> ecs.FargateTaskDefinition:
    """Return the task definition of one container with no right but those of its task role.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        container: the container's name; in lower case it begins the names of its log streams.
        image: what it runs.
        command: the arguments. None of them is a secret: whoever may describe the definition sees them.
        cpu_architecture: of the image.
        cpu: in units of 1/1,024 vCPU.
        memory_mib: as Fargate has it for that `cpu`.
        task_role: what it runs as.
        execution_role: what ECS fetches the image and writes the log as.
        log_group: where its log goes.
        ephemeral_storage_gib: disk, 21 to 200. Default: Fargate's own, 20.
        options: more of the container's, as CDK has them.
    """
    definition = ecs.FargateTaskDefinition(
        scope,
        construct_id,
        cpu=cpu,
        memory_limit_mib=memory_mib,
        ephemeral_storage_gib=ephemeral_storage_gib,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=cpu_architecture, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
        task_role=task_role,
        execution_role=execution_role,
    )
    linux = ecs.LinuxParameters(definition, "Linux", init_process_enabled=True)
    linux.drop_capabilities(ecs.Capability.ALL)
    definition.add_container(
        container,
        image=image,
        command=list(command),
        essential=True,
        user=USER,
        readonly_root_filesystem=True,
        privileged=False,
        linux_parameters=linux,
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix=container.lower(),
            log_group=log_group,
            # A log that cannot be written must not stop events from being delivered.
            mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            max_buffer_size=Size.mebibytes(25),
        ),
        **options,
    )
    return definition


def execution_role(scope: Construct, construct_id: str, *, of: str = "forwarder") -> iam.Role:
    """Return what ECS acts as before the container runs; CDK adds what the image and the log need."""
    role = iam.Role(
        scope,
        construct_id,
        description=f"ECS fetches the {of}'s image and writes its log as this role",
        assumed_by=_tasks_of(scope),
    )
    Validations.of(role).acknowledge(_TOKEN_PULL)
    return role


def task_role(
    scope: Construct, construct_id: str, *, role_name: str | None, of: str = "forwarder"
) -> iam.Role:
    """Return what the container itself runs as."""
    return iam.Role(
        scope,
        construct_id,
        role_name=role_name,
        description=f"The {of} assumes its destinations' roles as this role",
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
    description: str = "Use of destinations' roles, queues and settings by a forwarder",
) -> iam.ManagedPolicy:
    """Return the managed policy with all that the role may do."""
    return iam.ManagedPolicy(
        scope,
        construct_id,
        description=description,
        roles=[role],
        document=iam.PolicyDocument(statements=list(statements)),
    )
