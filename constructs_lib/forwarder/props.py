"""The props of a forwarder that no type could refuse."""

import re
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from constructs_lib.checks import check_role_name, known
from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.network import ForwarderNetwork

TASKS = (1, 5_000)
"""Tasks of a service: ECS' quota."""

MEMORY_MIB: dict[int, Sequence[int]] = {
    256: (512, 1_024, 2_048),
    512: range(1_024, 4_096 + 1, 1_024),
    1_024: range(2_048, 8_192 + 1, 1_024),
    2_048: range(4_096, 16_384 + 1, 1_024),
    4_096: range(8_192, 30_720 + 1, 1_024),
    8_192: range(16_384, 61_440 + 1, 4_096),
    16_384: range(32_768, 122_880 + 1, 8_192),
}
"""For each CPU size of Fargate, in units of 1/1,024 vCPU, the memory that a task can have."""

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TOP_LEVEL = "(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])"
_DOMAIN_NAME = re.compile(rf"(?=.{{4,253}}\Z)(?:{_LABEL}\.)+{_TOP_LEVEL}")
_SERVICE_NAME = re.compile(r"[\w./:#@+=-]{1,255}", re.ASCII)  # it stands in queries of metrics, in quotes


def check_names(
    domain_name: str, service_name: str, task_role_name: str | None, task_role: iam.IRole | None
) -> None:
    """Refuse names that AWS or DNS would refuse.

    Raises:
        ValueError: names the prop, its value and what is allowed.
    """
    if known(domain_name) and not _DOMAIN_NAME.fullmatch(domain_name):
        raise ValueError(
            f"domain_name: {domain_name!r} is not allowed; it is a name alone, as events.example.com"
        )
    check_service_name(service_name)
    if task_role_name is not None and task_role is not None:
        raise ValueError(
            "task_role_name and task_role cannot be given together: a role has its name; give one"
        )
    check_role_name("task_role_name", task_role_name)


def check_service_name(service_name: str) -> None:
    """Refuse what cannot be the dimension Service in a query.

    Raises:
        ValueError: names the value and what is allowed.
    """
    if known(service_name) and not _SERVICE_NAME.fullmatch(service_name):
        raise ValueError(
            f"service_name: {service_name!r} is not allowed; "
            "it must be 1 to 255 letters, digits and any of _ . / : # @ + = -"
        )


def check_size(cpu: int, memory_mib: int) -> None:
    """Refuse what Fargate has no task of.

    Raises:
        ValueError: names the prop, its value and what is allowed.
    """
    if cpu not in MEMORY_MIB:
        raise ValueError(f"cpu: {cpu!r} is not allowed; allowed: {', '.join(map(str, MEMORY_MIB))}")
    if known(memory_mib) and memory_mib not in MEMORY_MIB[cpu]:
        raise ValueError(
            f"memory_mib: {memory_mib!r} is not allowed; a task of {cpu} cpu has "
            f"{', '.join(map(str, MEMORY_MIB[cpu]))}"
        )


def check_region(stack: Stack) -> None:
    """Refuse a stack that does not know its region.

    Raises:
        ValueError: names the stack, and the way out.
    """
    if not known(stack.region):
        raise ValueError(
            f"region: the stack {stack.node.path!r} has none, and which account writes a load balancer's "
            'access logs depends on it; make the stack with env=Environment(region="us-west-2"), say'
        )


def check_cluster(cluster: ecs.ICluster | None, network: ForwarderNetwork) -> None:
    """Refuse a cluster that CDK would look for the network's subnets in, and not find them.

    Raises:
        ValueError: names both VPCs, and the way out.
    """
    if cluster is not None and cluster.vpc.vpc_id != network.vpc.vpc_id:
        theirs, ours = (vpc.node.path for vpc in (cluster.vpc, network.vpc))
        raise ValueError(
            f"cluster: its VPC is {theirs}, and the network's is {ours}; make the network with the cluster's "
            "vpc, or import the cluster with vpc=network.vpc: on Fargate it is of no VPC"
        )


def check_destinations(
    destinations: Sequence[ForwarderDestination], network: ForwarderNetwork, stack: Stack
) -> None:
    """Refuse nowhere, and what cannot be reached.

    Raises:
        ValueError: names the streams, or the network, and the way out.
    """
    if not destinations:
        raise ValueError("destinations: an empty list lets the forwarder deliver nowhere; give one or more")
    if network.endpoints is None:
        return
    home = Stack.of(network)
    if home.node.addr != stack.node.addr:
        raise ValueError(
            f"network: its VPC endpoints are in the stack {home.node.path!r}, and their policies name what a "
            f"forwarder in {stack.node.path!r} makes; make both in one stack, or the network with "
            "private_delivery=False"
        )
    elsewhere = [
        each.stream.stream_arn
        for each in destinations
        if known(each.stream.region) and each.stream.region != stack.region
    ]
    if elsewhere:
        raise ValueError(
            f"destinations: {', '.join(elsewhere)} cannot be reached from {stack.region} by private "
            "delivery, whose endpoints are of one region; make the network with private_delivery=False, "
            "which has NAT gateways, or run a forwarder in that region"
        )
