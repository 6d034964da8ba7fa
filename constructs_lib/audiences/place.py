"""Where syncs run: beside a forwarder, with all that it has, or in a network by themselves."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.forwarder import Forwarder, ForwarderNetwork, task


@dataclass(frozen=True, slots=True)
class Logging:
    """How a log is made where there is none.

    Attributes:
        encryption_key: its key.
        removal_policy: what becomes of it when the stack lets go of it.
    """

    encryption_key: kms.IKey
    removal_policy: RemovalPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where syncs run.

    Attributes:
        network: the network.
        cluster: the ECS cluster.
        execution_role: what ECS fetches the image and writes the log as.
        log_group: the log.
        service_name: the dimension Service, unless another is asked for.
    """

    network: ForwarderNetwork
    cluster: ecs.ICluster
    execution_role: iam.IRole
    log_group: logs.ILogGroup
    service_name: str


def place_of(
    scope: Construct,
    forwarder: Forwarder | None,
    network: ForwarderNetwork | None,
    logging: Logging,
) -> Place:
    """Return the place; what of it nobody has is made in `scope`.

    Raises:
        ValueError: neither or both are given, or the network's endpoints cannot be opened from here.
    """
    if forwarder is not None and network is None:
        return _beside(scope, forwarder)
    if network is None or forwarder is not None:
        raise ValueError("forwarder, network: give the forwarder beside which syncs run, or a network")
    if network.endpoints is not None and not same_stack(scope, network):
        raise ValueError(
            f"network: its VPC endpoints are in the stack {Stack.of(network).node.path!r}, and their "
            "policies name what is made here; make both in one stack, or give the forwarder there"
        )
    log_group = logs.LogGroup(
        scope,
        "Log",
        retention=logs.RetentionDays.THREE_MONTHS,
        encryption_key=logging.encryption_key,
        removal_policy=logging.removal_policy,
    )
    execution_role = task.execution_role(scope, "ExecutionRole", of="audiences' task")
    if network.endpoints is not None:
        network.endpoints.allow_starting(execution_role.role_arn, log_group.log_group_arn)
    return Place(
        network=network,
        cluster=ecs.Cluster(
            scope, "Cluster", vpc=network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        ),
        execution_role=execution_role,
        log_group=log_group,
        service_name="headgate",
    )


def _beside(scope: Construct, forwarder: Forwarder) -> Place:
    role = forwarder.execution_role
    if not same_stack(scope, forwarder):
        # It may fetch images of this app and write that log already, and CDK is not to have its stack name
        # what is made here.
        role = iam.Role.from_role_arn(scope, "ExecutionRole", role.role_arn, mutable=False)
    return Place(
        network=forwarder.network,
        cluster=forwarder.cluster,
        execution_role=role,
        log_group=forwarder.log_group,
        service_name=forwarder.service_name,
    )


def same_stack(one: Construct, other: Construct) -> bool:
    """Return whether two constructs are deployed together."""
    return Stack.of(one).node.addr == Stack.of(other).node.addr


def security_group(scope: Construct, construct_id: str, network: ForwarderNetwork) -> ec2.SecurityGroup:
    """Return the tasks' group: nobody gets in, and what gets out is AWS, over TLS."""
    group = ec2.SecurityGroup(
        scope,
        construct_id,
        vpc=network.vpc,
        description="The tasks that sync audiences",
        allow_all_outbound=False,
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS")
    if network.endpoints is not None:
        # A resource of this stack, whichever the endpoints are in.
        ec2.CfnSecurityGroupIngress(
            scope,
            "IntoEndpoints",
            description="AWS through the VPC endpoints",
            group_id=network.endpoints.security_group.security_group_id,
            source_security_group_id=group.security_group_id,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
        )
    return group
