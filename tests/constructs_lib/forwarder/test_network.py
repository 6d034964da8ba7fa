"""Where a forwarder runs: in a VPC made for it, or in one that is there."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from constructs_lib.forwarder import ForwarderNetwork
from tests.constructs_lib.forwarder.scene import REGION, Scene, new_stack


def on(stack: cdk.Stack | None = None, /, *, allowed_cidrs: Any = None, **props: Any) -> Scene:
    """A forwarder on a network of these props."""
    stack = stack or new_stack()
    network = ForwarderNetwork(stack, "Network", **props)
    return Scene(stack, network=network, allowed_cidrs=allowed_cidrs)


def theirs(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Theirs",
        vpc_id="vpc-1",
        vpc_cidr_block="10.9.0.0/16",
        availability_zones=[f"{REGION}a", f"{REGION}b"],
        private_subnet_ids=["subnet-1", "subnet-2"],
        private_subnet_route_table_ids=["rtb-1", "rtb-2"],
        public_subnet_ids=["subnet-3", "subnet-4"],
        public_subnet_route_table_ids=["rtb-3", "rtb-4"],
    )


def subnets(scene: Scene) -> tuple[list[Any], list[Any]]:
    """Where the tasks and the load balancer are."""
    service = scene.only("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    return service["Subnets"], scene.only("AWS::ElasticLoadBalancingV2::LoadBalancer")["Subnets"]


def types(scene: Scene) -> set[str]:
    return {one["Type"] for one in scene.resources.values()}


@pytest.fixture(scope="module")
def public() -> Scene:
    """Private delivery behind a load balancer that faces the internet."""
    return on(internet_facing=True, allowed_cidrs=["0.0.0.0/0"])


@pytest.fixture(scope="module")
def with_nat() -> Scene:
    return on(private_delivery=False)


def test_a_vpc_of_its_own_has_two_zones_and_no_way_out(plain: Scene) -> None:
    assert plain.only("AWS::EC2::VPC")["CidrBlock"] == "10.0.0.0/16"
    assert len(plain.of_type("AWS::EC2::Subnet")) == 2
    assert {"AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::Route"}.isdisjoint(types(plain))


def test_behind_a_public_load_balancer_the_tasks_still_have_no_way_out(public: Scene) -> None:
    assert "AWS::EC2::NatGateway" not in types(public)
    tasks, balancer = subnets(public)
    assert {one["Ref"] for one in tasks}.isdisjoint({one["Ref"] for one in balancer})
    tables = {
        one["SubnetId"]["Ref"]: one["RouteTableId"]["Ref"]
        for one in public.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
    }
    out = {one["RouteTableId"]["Ref"] for one in public.of_type("AWS::EC2::Route").values()}
    assert out == {tables[one["Ref"]] for one in balancer}


def test_no_subnet_gives_addresses_of_the_internet(public: Scene) -> None:
    assert not any(one["MapPublicIpOnLaunch"] for one in public.of_type("AWS::EC2::Subnet").values())


def test_without_private_delivery_there_is_a_nat_gateway_in_each_zone_and_no_endpoint(
    with_nat: Scene,
) -> None:
    assert len(with_nat.of_type("AWS::EC2::NatGateway")) == 2
    assert "AWS::EC2::VPCEndpoint" not in types(with_nat)
    assert with_nat.forwarder.network.endpoints is None
    assert with_nat.only("AWS::ElasticLoadBalancingV2::LoadBalancer")["Scheme"] == "internal"


def test_no_task_runs_before_there_is_a_way_through_the_nat_gateways(with_nat: Scene) -> None:
    routes = {name for name, one in with_nat.of_type("AWS::EC2::Route").items() if "NatGatewayId" in one}
    [service] = [one for one in with_nat.resources.values() if one["Type"] == "AWS::ECS::Service"]
    assert len(routes) == 2
    assert routes < set(service["DependsOn"])


def test_its_traffic_is_logged_into_the_bucket(plain: Scene) -> None:
    log = plain.only("AWS::EC2::FlowLog")
    assert (log["TrafficType"], log["LogDestinationType"]) == ("ALL", "s3")
    assert plain.logical_id(plain.forwarder.network.log_bucket) in str(log["LogDestination"])


def test_zones_and_addresses_are_a_choice() -> None:
    scene = on(availability_zones=3, cidr="10.7.0.0/20")
    assert scene.only("AWS::EC2::VPC")["CidrBlock"] == "10.7.0.0/20"
    assert len(subnets(scene)[0]) == 3
    balancer = scene.forwarder.load_balancer.connections.security_groups[0]
    assert scene.properties(balancer)["SecurityGroupIngress"][0]["CidrIp"] == "10.7.0.0/20"


def test_a_vpc_that_is_there_is_used_as_it_is() -> None:
    stack = new_stack()
    scene = on(stack, vpc=theirs(stack))
    assert subnets(scene) == (["subnet-1", "subnet-2"], ["subnet-1", "subnet-2"])
    made = {one for one in types(scene) if one.startswith("AWS::EC2::")}
    assert made == {
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    }


def test_its_public_subnets_take_a_load_balancer_that_faces_the_internet() -> None:
    stack = new_stack()
    scene = on(stack, vpc=theirs(stack), internet_facing=True, allowed_cidrs=["0.0.0.0/0"])
    assert subnets(scene) == (["subnet-1", "subnet-2"], ["subnet-3", "subnet-4"])


def test_subnets_may_be_named_one_by_one() -> None:
    stack = new_stack()
    tasks, balancer = (
        ec2.SubnetSelection(subnets=[ec2.Subnet.from_subnet_id(stack, name, name)])
        for name in ("subnet-7", "subnet-8")
    )
    scene = on(stack, vpc=theirs(stack), task_subnets=tasks, load_balancer_subnets=balancer)
    assert subnets(scene) == (["subnet-7"], ["subnet-8"])


def test_endpoints_may_be_made_in_a_vpc_that_is_there() -> None:
    stack = new_stack()
    scene = on(stack, vpc=theirs(stack), private_delivery=True)
    endpoints = scene.of_type("AWS::EC2::VPCEndpoint").values()
    assert {one["VpcId"] for one in endpoints} == {"vpc-1"}
    assert len(endpoints) == 9


def test_the_log_bucket_may_be_one_that_is_there() -> None:
    stack = new_stack()
    scene = on(stack, log_bucket=s3.Bucket.from_bucket_name(stack, "Logs", "their-logs"))
    assert "AWS::S3::Bucket" not in types(scene)
    balancer = scene.only("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert {"Key": "access_logs.s3.bucket", "Value": "their-logs"} in balancer["LoadBalancerAttributes"]
    assert "their-logs" in str(scene.only("AWS::EC2::FlowLog")["LogDestination"])


def test_records_can_be_bound_to_the_endpoint_for_kinesis(plain: Scene) -> None:
    network = plain.forwarder.network
    assert network.endpoints is not None
    assert plain.stack.resolve(network.kinesis_endpoint_id) == {
        "Ref": plain.logical_id(network.endpoints.kinesis)
    }


def test_without_private_delivery_there_is_no_endpoint_to_bind_to(with_nat: Scene) -> None:
    with pytest.raises(
        ValueError,
        match=r"private_delivery: records cannot be bound to an endpoint that is not made; set "
        r"private_delivery=True, or name an endpoint of yours in NetworkConditions",
    ):
        _ = with_nat.forwarder.network.kinesis_endpoint_id


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"availability_zones": 1},
            "availability_zones: 1 is not allowed; it must be a whole number, from 2 to 6",
        ),
        ({"availability_zones": 7}, "availability_zones: 7 is not allowed"),
        (
            {"cidr": "10.0.0.0/25"},
            "cidr: '10.0.0.0/25' is not allowed; it must be an IPv4 block of /16 to /24, as 10.0.0.0/16",
        ),
        ({"cidr": "10.0.0.0/8"}, "cidr: '10.0.0.0/8' is not allowed"),
        ({"cidr": "10.0.0.1/16"}, "cidr: '10.0.0.1/16' is not allowed"),
        ({"cidr": "10.0.0.0"}, "cidr: '10.0.0.0' is not allowed"),
    ],
)
def test_a_vpc_that_cannot_be_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ForwarderNetwork(new_stack(), "Network", **props)


def test_the_smallest_vpc_has_room_for_the_most_zones() -> None:
    scene = on(cidr="10.0.0.0/24", availability_zones=6, internet_facing=True, allowed_cidrs=["0.0.0.0/0"])
    assert len(scene.of_type("AWS::EC2::Subnet")) == 12


def test_a_network_with_endpoints_is_for_forwarders_of_its_own_stack() -> None:
    app = cdk.App()
    home, away = (cdk.Stack(app, name, env=cdk.Environment(region=REGION)) for name in ("home", "away"))
    network = ForwarderNetwork(home, "Network")
    with pytest.raises(
        ValueError,
        match=r"network: its VPC endpoints are in the stack 'home', and their policies name what a forwarder "
        r"in 'away' makes; make both in one stack, or the network with private_delivery=False",
    ):
        Scene(away, network=network)


def test_a_network_without_endpoints_may_be_in_another_stack() -> None:
    app = cdk.App()
    home, away = (cdk.Stack(app, name, env=cdk.Environment(region=REGION)) for name in ("home", "away"))
    network = ForwarderNetwork(home, "Network", private_delivery=False)
    scene = Scene(away, network=network)
    assert "AWS::EC2::VPC" not in types(scene)
    assert all("Fn::ImportValue" in one for one in subnets(scene)[0])
