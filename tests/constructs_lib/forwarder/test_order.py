"""What CloudFormation makes before the first task, and so deletes only after the last one has gone."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs_lib import DestinationRole, NetworkConditions
from constructs_lib.forwarder import ForwarderDestination, ForwarderNetwork, forwarder_principal
from tests.constructs_lib.forwarder.scene import Scene, new_stack, stream

SERVICE = "AWS::ECS::Service"
RULES = ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")


def named(value: Any) -> Iterator[str]:
    """The logical IDs that a value refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), _]}:
            yield from re.findall(r"\$\{(\w+)[.}]", text)
        case dict():
            for one in value.values():
                yield from named(one)
        case list():
            for one in value:
                yield from named(one)


def order(scene: Scene) -> dict[str, set[str]]:
    """For each resource, what CloudFormation makes right before it."""
    return {
        name: {*one.get("DependsOn", ()), *named(one.get("Properties", {}))} & scene.resources.keys()
        for name, one in scene.resources.items()
    }


def before_the_service(scene: Scene) -> set[str]:
    """All that is there before the service is made."""
    directly, found = order(scene), set[str]()
    [service] = scene.of_type(SERVICE)
    ahead = [service]
    while ahead:
        new = directly[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def of_types(scene: Scene, *types: str) -> set[str]:
    found = {name for name, one in scene.resources.items() if one["Type"] in types}
    assert found
    return found


@pytest.fixture(scope="module")
def bound() -> Scene:
    """A forwarder whose destination's role is made beside it, and bound to the endpoint for Kinesis."""
    stack = new_stack()
    network, events = ForwarderNetwork(stack, "Network", internet_facing=True), stream(stack)
    role = DestinationRole(
        stack,
        "Role",
        streams=[events],
        source_ids=["8kf3Qw2LpZ"],
        principals=[forwarder_principal(task_role_name="forwarder")],
        network=NetworkConditions(vpc_endpoint_ids=[network.kinesis_endpoint_id]),
    )
    return Scene(
        stack,
        network=network,
        allowed_cidrs=["0.0.0.0/0"],
        destinations=[ForwarderDestination.of(events, role)],
        task_role_name="forwarder",
    )


@pytest.fixture(scope="module")
def with_nat() -> Scene:
    stack = new_stack()
    return Scene(stack, network=ForwarderNetwork(stack, "Network", private_delivery=False))


def test_ecs_may_fetch_the_image_and_the_task_may_do_its_work(plain: Scene) -> None:
    assert of_types(plain, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy") < before_the_service(plain)


def test_the_permissions_of_roles_handed_in_are_there() -> None:
    stack = new_stack()
    roles = {
        f"{name}_role": iam.Role.from_role_arn(stack, name, f"arn:aws:iam::123456789012:role/{name}")
        for name in ("task", "execution")
    }
    handed_in = Scene(stack, **roles)
    policies = of_types(handed_in, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    assert len(policies) == 2
    assert policies < before_the_service(handed_in)


def test_the_role_of_a_destination_may_deliver(bound: Scene) -> None:
    policies = of_types(bound, "AWS::IAM::ManagedPolicy")
    assert len(policies) == 2
    assert policies < before_the_service(bound)


@pytest.mark.parametrize("name", ["plain", "bound"])
def test_the_endpoints_are_there_open_to_the_tasks_and_on_their_routes(
    name: str, request: pytest.FixtureRequest
) -> None:
    scene = request.getfixturevalue(name)
    way = of_types(scene, "AWS::EC2::VPCEndpoint", "AWS::EC2::SubnetRouteTableAssociation", *RULES)
    assert way < before_the_service(scene)


def test_without_endpoints_the_nat_gateways_are_there_and_the_routes_to_them(with_nat: Scene) -> None:
    way = of_types(
        with_nat,
        "AWS::EC2::NatGateway",
        "AWS::EC2::Route",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
    )
    assert way < before_the_service(with_nat)


def test_the_routes_of_a_vpc_made_beside_it_are_there() -> None:
    stack = new_stack()
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        availability_zones=["us-west-2a", "us-west-2b"],
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Out", subnet_type=ec2.SubnetType.PUBLIC),
            ec2.SubnetConfiguration(name="Mine", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="Theirs", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        ],
    )
    subnets = ec2.SubnetSelection(subnet_group_name="Mine")
    scene = Scene(stack, network=ForwarderNetwork(stack, "Network", vpc=vpc, task_subnets=subnets))
    mine = {name for name in of_types(scene, "AWS::EC2::Route") if "Mine" in name}
    assert len(mine) == 2
    assert mine < before_the_service(scene)


def test_the_load_balancer_listens_and_reaches_the_tasks(bound: Scene) -> None:
    way_in = of_types(
        bound,
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::EC2::Route",
        *RULES,
    )
    assert way_in < before_the_service(bound)


def test_queues_key_and_log_outlive_the_tasks_that_spill(plain: Scene) -> None:
    kept = of_types(plain, "AWS::SQS::Queue", "AWS::KMS::Key", "AWS::Logs::LogGroup")
    assert kept < before_the_service(plain)


def test_the_scaling_follows_the_service(plain: Scene) -> None:
    [service] = plain.of_type(SERVICE)
    [target] = plain.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    assert service in order(plain)[target]
    # What the service waits for is no business of its scaling's.
    assert plain.resources[target]["DependsOn"] == [plain.logical_id(plain.forwarder.task_role)]


@pytest.mark.parametrize("name", ["plain", "bound", "with_nat"])
def test_nothing_waits_for_itself(name: str, request: pytest.FixtureRequest) -> None:
    scene = request.getfixturevalue(name)
    TopologicalSorter(order(scene)).prepare()  # raises CycleError


def test_a_network_of_another_stack_comes_first() -> None:
    app_stack = new_stack()
    app = app_stack.node.root
    assert isinstance(app, cdk.App)
    network_stack = cdk.Stack(app, "Network", env=cdk.Environment(region=app_stack.region))
    network = ForwarderNetwork(network_stack, "Network", private_delivery=False)
    scene = Scene(app_stack, network=network)
    assert of_types(scene, SERVICE)
    assert network_stack in app_stack.dependencies
    assert network_stack.dependencies == []
