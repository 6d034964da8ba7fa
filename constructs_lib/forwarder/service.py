"""The service that runs a forwarder's tasks, and how many of them."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct, IDependable

from constructs_lib.forwarder.network import ForwarderNetwork


def forwarder_service(
    scope: Construct,
    construct_id: str,
    *,
    cluster: ecs.ICluster,
    task_definition: ecs.FargateTaskDefinition,
    network: ForwarderNetwork,
) -> ecs.FargateService:
    """Return the service: rolled out beside the old tasks, rolled back where the new ones fail."""
    security_group = ec2.SecurityGroup(
        scope,
        "SecurityGroup",
        vpc=network.vpc,
        description="The tasks of a forwarder",
        allow_all_outbound=False,
    )
    # Where to is for the routes and the endpoints' policies to say; it is AWS, over TLS, in any case.
    security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS")
    return ecs.FargateService(
        scope,
        construct_id,
        cluster=cluster,
        task_definition=task_definition,
        vpc_subnets=network.task_subnets,
        security_groups=[security_group],
        assign_public_ip=False,
        platform_version=ecs.FargatePlatformVersion.VERSION1_4,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
        health_check_grace_period=Duration.seconds(60),
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
        enable_ecs_managed_tags=True,
    )


def run_only_with(service: ecs.FargateService, *needs: IDependable) -> None:
    """Have no task run without what it needs: neither the first one, nor the last one while it drains.

    CloudFormation makes in order, and deletes in reverse, what refers to each other, and a service refers to
    neither policies nor routes, nor to the rules of its security groups. A few first tasks that fail for want
    of them are a failed deployment, which is rolled back.
    """
    # The resource alone: its scaling, which is among the children of the construct, follows it anyway.
    resource = service.node.find_child("Service")
    resource.node.add_dependency(*needs)
    for group in service.connections.security_groups:
        rules = (ec2.CfnSecurityGroupIngress, ec2.CfnSecurityGroupEgress)
        resource.node.add_dependency(*(each for each in group.node.children if isinstance(each, rules)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """How many tasks there are.

    Held bytes are not among the reasons for more: they grow because Kinesis throttles, and more tasks would
    press the same shards.

    Attributes:
        min_tasks: at least so many.
        max_tasks: at most so many.
        cpu_target_percent: the tasks' mean CPU.
        requests_per_task: requests a second.
    """

    min_tasks: int
    max_tasks: int
    cpu_target_percent: int
    requests_per_task: int


def scale(service: ecs.FargateService, target_group: elbv2.ApplicationTargetGroup, scaling: Scaling) -> None:
    """Have the number of tasks follow the load; the service itself then names none."""
    tasks = service.auto_scale_task_count(min_capacity=scaling.min_tasks, max_capacity=scaling.max_tasks)
    # Out at once, in slowly: a task that goes has to drain first.
    out, in_ = Duration.seconds(60), Duration.minutes(5)
    tasks.scale_on_cpu_utilization(
        "Cpu",
        target_utilization_percent=scaling.cpu_target_percent,
        scale_out_cooldown=out,
        scale_in_cooldown=in_,
    )
    tasks.scale_on_request_count(
        "Requests",
        requests_per_target=scaling.requests_per_task * 60,  # CloudWatch counts them by the minute
        target_group=target_group,
        scale_out_cooldown=out,
        scale_in_cooldown=in_,
    )
