"""The forwarder as a service on ECS Fargate, behind HTTPS."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.checks import check_integer
from constructs_lib.forwarder import task
from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.encryption import forwarder_key
from constructs_lib.forwarder.endpoints import PrivateAccess
from constructs_lib.forwarder.image import forwarder_image
from constructs_lib.forwarder.load_balancer import ForwarderLoadBalancer
from constructs_lib.forwarder.metrics import ForwarderMetrics
from constructs_lib.forwarder.network import ForwarderNetwork
from constructs_lib.forwarder.permissions import task_statements
from constructs_lib.forwarder.props import (
    TASKS,
    check_cluster,
    check_destinations,
    check_names,
    check_region,
    check_size,
)
from constructs_lib.forwarder.queues import ForwarderQueues
from constructs_lib.forwarder.service import Scaling, forwarder_service, run_only_with, scale
from constructs_lib.forwarder.settings import Settings, settings_place
from constructs_lib.removal import check_removal


class Forwarder(ForwarderMetrics, Construct):
    r"""Takes events over Segment's HTTP API and delivers each into the streams of its source's destinations.

    A Fargate service behind an Application Load Balancer: at least two tasks, which scale on CPU and on
    requests; a failed deployment is rolled back. Each task has a read-only file system, an unprivileged user
    and no capability, and stops only when all that it acknowledged is safe.

    What it may do is assume the roles of its destinations, use its two queues and read its settings.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        sources: what holds the settings: a secret whose text is a `sources.toml`, or a `SettingsTable`. It
            is read at start and followed, and its text is never in the template.
        destinations: where it may deliver to, one or more.
        domain_name: what clients call it, such as `events.example.com`; point it at the load balancer.
        certificate: of that name, in the stack's region.
        network: where it runs. Default: a new one, internal, with private delivery.
        allowed_cidrs: who may send, as IPv4 blocks. Default: the VPC; needed where the network is
            `internet_facing`.
        image: the container image. Default: built from this version of Headgate when it is deployed.
        cpu_architecture: default ARM64, which costs a fifth less. An `image` must be of the same.
        cpu: of a task, in units of 1/1,024 vCPU: 256 to 16,384, as Fargate has them.
        memory_mib: of a task, as Fargate has it for that `cpu`: 512 to 122,880.
        min_tasks: at least so many, 1 to 5,000.
        max_tasks: at most so many.
        cpu_target_percent: what the tasks' CPU is scaled to, 10 to 90.
        requests_per_task: what each task's requests a second are scaled to.
        cluster: the ECS cluster, one of the network's VPC. Default: a new one, with Container Insights.
        task_role_name: name of the task role, 1 to 64 of `[\w+=,.@-]`. `forwarder_principal` trusts it
            by that name.
        task_role: a role that is there already, in its place.
        execution_role: what ECS fetches the image and writes the log as. Default: a new one.
        encryption_key: for the queues and the log; it must let CloudWatch Logs use it. Default: a new one.
        log_retention: how long the log is kept. Default: 90 days.
        service_name: the dimension Service of its metrics; give each forwarder in one region its own.
        removal_policy: what becomes of queues, log and key when the stack lets go of them. Default: RETAIN.
            DESTROY counts only where the context key `headgate:allow-destroy` is true too.

    Raises:
        ValueError: a prop is out of its range or excludes another; the text names it and the way out.

    Attributes:
        network: where it runs.
        cluster: the ECS cluster.
        service: the ECS service.
        task_definition: what it runs.
        task_role: what the forwarder runs as.
        execution_role: what ECS acts as for it.
        load_balancer: the load balancer.
        listener: its HTTPS listener.
        target_group: the tasks behind it.
        overflow_queue: what Kinesis could not take in time.
        dead_letter_queue: what no stream will ever take.
        encryption_key: the key of queues and log.
        log_group: the log, and the metrics in it.
        service_name: the dimension Service of its metrics.
        min_tasks: at least so many.
        max_tasks: at most so many.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: secretsmanager.ISecret | Settings,
        destinations: Sequence[ForwarderDestination],
        domain_name: str,
        certificate: acm.ICertificate,
        network: ForwarderNetwork | None = None,
        allowed_cidrs: Sequence[str] | None = None,
        image: ecs.ContainerImage | None = None,
        cpu_architecture: ecs.CpuArchitecture | None = None,
        cpu: int = 512,
        memory_mib: int = 1_024,
        min_tasks: int = 2,
        max_tasks: int = 10,
        cpu_target_percent: int = 60,
        requests_per_task: int = 1_000,
        cluster: ecs.ICluster | None = None,
        task_role_name: str | None = None,
        task_role: iam.IRole | None = None,
        execution_role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        service_name: str = "headgate",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        check_region(Stack.of(self))
        check_names(domain_name, service_name, task_role_name, task_role)
        check_size(cpu, memory_mib)
        check_integer("min_tasks", min_tasks, *TASKS)
        check_integer("max_tasks", max_tasks, min_tasks, TASKS[1])
        check_integer("cpu_target_percent", cpu_target_percent, 10, 90)
        check_integer("requests_per_task", requests_per_task, 1)
        check_removal(
            self, removal_policy, what_goes="what waits in the queues", no_snapshot_of="a forwarder"
        )
        self.service_name, self.min_tasks, self.max_tasks = service_name, min_tasks, max_tasks
        self.network = network or ForwarderNetwork(self, "Network")
        check_destinations(destinations, self.network, Stack.of(self))
        check_cluster(cluster, self.network)

        settings = settings_place(sources, Stack.of(self))
        self.encryption_key = encryption_key or forwarder_key(self, "Key", removal_policy=removal_policy)
        queues = ForwarderQueues(
            self, "Queues", encryption_key=self.encryption_key, removal_policy=removal_policy
        )
        self.overflow_queue: sqs.IQueue = queues.overflow
        self.dead_letter_queue: sqs.IQueue = queues.dead_letters
        self.log_group = logs.LogGroup(
            self,
            "Log",
            retention=log_retention,
            encryption_key=self.encryption_key,
            removal_policy=removal_policy,
        )
        self.task_role = task_role or task.task_role(self, "TaskRole", role_name=task_role_name)
        self.execution_role = execution_role or task.execution_role(self, "ExecutionRole")
        task_policy = task.task_policy(
            self,
            "TaskPolicy",
            role=self.task_role,
            statements=task_statements(
                Stack.of(self),
                destinations=destinations,
                queues=queues,
                queue_key=self.encryption_key,
                settings=settings,
            ),
        )
        architecture = cpu_architecture or ecs.CpuArchitecture.ARM64
        self.task_definition = task.task_definition(
            self,
            "Task",
            serving=task.Serving(
                sources=settings.location,
                public_url=f"https://{domain_name}",
                overflow_queue=queues.overflow.queue_url,
                dead_letter_queue=queues.dead_letters.queue_url,
                workers=max(1, cpu // 1_024),
                service_name=service_name,
            ),
            image=image or forwarder_image(self, "Image", cpu_architecture=architecture),
            cpu_architecture=architecture,
            cpu=cpu,
            memory_mib=memory_mib,
            task_role=self.task_role,
            execution_role=self.execution_role,
            log_group=self.log_group,
        )

        way_in = ForwarderLoadBalancer(
            self,
            "LoadBalancer",
            network=self.network,
            certificate=certificate,
            allowed_cidrs=allowed_cidrs,
            deletion_protection=removal_policy is not RemovalPolicy.DESTROY,
        )
        self.cluster = cluster or ecs.Cluster(
            self, "Cluster", vpc=self.network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        self.service = forwarder_service(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task_definition,
            network=self.network,
        )
        way_in.send_to(self.service)
        self.load_balancer = way_in.load_balancer
        self.listener = way_in.listener
        self.target_group = way_in.target_group
        scale(
            self.service,
            self.target_group,
            Scaling(
                min_tasks=min_tasks,
                max_tasks=max_tasks,
                cpu_target_percent=cpu_target_percent,
                requests_per_task=requests_per_task,
            ),
        )
        if self.network.endpoints is not None:
            self.network.endpoints.allow(
                PrivateAccess(
                    task_role=self.task_role,
                    execution_role=self.execution_role,
                    destinations=destinations,
                    queue_arns=[queues.overflow.queue_arn, queues.dead_letters.queue_arn],
                    settings=settings,
                    log_group_arn=self.log_group.log_group_arn,
                ),
                self.service,
            )
        run_only_with(
            self.service,
            task_policy,
            self.execution_role,
            *(each.role for each in destinations if each.role is not None),
            *self.network.way_out,
            way_in,
        )
