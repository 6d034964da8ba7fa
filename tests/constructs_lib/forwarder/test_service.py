"""The service: how it is rolled out, scaled and tagged, and whom it reaches."""

from typing import Any

import pytest
from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from constructs_lib.forwarder import ForwarderNetwork
from tests.constructs_lib.forwarder.scene import REGION, Scene, new_stack

SERVICE = "AWS::ECS::Service"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


def test_a_deployment_that_fails_is_rolled_back(plain: Scene) -> None:
    deployment = plain.only(SERVICE)["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_a_deployment_takes_no_task_away_before_another_is_healthy(plain: Scene) -> None:
    deployment = plain.only(SERVICE)["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)


@pytest.mark.parametrize("flags", [{}, None], ids=["no flags", "all flags"])
def test_it_names_no_number_of_tasks_for_a_deployment_would_reset_it(
    plain: Scene, flags: dict[str, Any] | None
) -> None:
    scene = plain if flags is None else Scene(new_stack(flags))
    assert "DesiredCount" not in scene.only(SERVICE)
    target = scene.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)


def test_it_scales_on_cpu_and_on_requests_per_target_and_on_nothing_else(plain: Scene) -> None:
    tracked = {
        one["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"][
            "PredefinedMetricType"
        ]: one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for one in plain.of_type(POLICY).values()
    }
    assert tracked == {"ECSServiceAverageCPUUtilization": 60, "ALBRequestCountPerTarget": 60_000}
    assert "AWS::CloudWatch::Alarm" not in {one["Type"] for one in plain.resources.values()}


def test_its_scaling_is_a_choice() -> None:
    scene = Scene(min_tasks=3, max_tasks=30, cpu_target_percent=45, requests_per_task=200)
    target = scene.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 30)
    assert (scene.forwarder.min_tasks, scene.forwarder.max_tasks) == (3, 30)
    assert {
        one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for one in scene.of_type(POLICY).values()
    } == {45, 200 * 60}


def test_it_scales_out_sooner_than_in_for_a_task_that_goes_has_to_drain(plain: Scene) -> None:
    for one in plain.of_type(POLICY).values():
        tracking = one["TargetTrackingScalingPolicyConfiguration"]
        assert (tracking["ScaleOutCooldown"], tracking["ScaleInCooldown"]) == (60, 300)


def test_its_tasks_carry_its_tags() -> None:
    stack = new_stack()
    scene = Scene(stack)
    Tags.of(stack).add("team", "data")
    service = scene.only(SERVICE)
    assert (service["PropagateTags"], service["EnableECSManagedTags"]) == ("SERVICE", True)
    assert {"Key": "team", "Value": "data"} in service["Tags"]


def test_it_is_fargate_without_public_addresses_and_without_a_shell(plain: Scene) -> None:
    service = plain.only(SERVICE)
    assert (service["LaunchType"], service["PlatformVersion"]) == ("FARGATE", "1.4.0")
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert not service.get("EnableExecuteCommand")


def test_new_tasks_have_a_minute_before_health_checks_count(plain: Scene) -> None:
    assert plain.only(SERVICE)["HealthCheckGracePeriodSeconds"] == 60


def test_its_tasks_are_spread_over_the_zones_again_when_they_are_not(plain: Scene) -> None:
    assert plain.only(SERVICE)["AvailabilityZoneRebalancing"] == "ENABLED"


def test_no_task_runs_without_its_permissions_and_its_endpoints(plain: Scene) -> None:
    [service] = [one for one in plain.resources.values() if one["Type"] == SERVICE]
    first = {*plain.of_type("AWS::IAM::ManagedPolicy"), *plain.of_type("AWS::EC2::VPCEndpoint")}
    assert first < set(service["DependsOn"])


def test_nothing_but_the_load_balancer_may_reach_a_task(plain: Scene) -> None:
    assert rules(plain)["in"] == {
        ("10.0.0.0/16", "load balancer", 443),
        ("load balancer", "tasks", 8080),
        ("tasks", "endpoints", 443),
    }


def test_a_task_reaches_nothing_but_tls(plain: Scene) -> None:
    assert rules(plain)["out"] == {
        ("load balancer", "tasks", 8080),
        ("tasks", "0.0.0.0/0", 443),
        ("tasks", "endpoints", 443),
    }


def test_it_runs_in_a_cluster_that_is_there_already() -> None:
    stack = new_stack()
    network = ForwarderNetwork(stack, "Network")
    cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="theirs", vpc=network.vpc)
    scene = Scene(stack, network=network, cluster=cluster)
    assert scene.only(SERVICE)["Cluster"] == "theirs"
    assert scene.of_type("AWS::ECS::Cluster") == {}


def test_a_cluster_that_would_look_for_the_subnets_in_another_vpc_is_refused() -> None:
    stack = new_stack()
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=[f"{REGION}a"])
    cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="theirs", vpc=vpc)
    with pytest.raises(
        ValueError,
        match=r"cluster: its VPC is Test/Vpc, and the network's is Test/Forwarder/Network/Vpc; make the "
        r"network with the cluster's vpc, or import the cluster with vpc=network.vpc",
    ):
        Scene(stack, cluster=cluster)


def test_a_cluster_of_its_own_has_container_insights(plain: Scene) -> None:
    assert plain.only("AWS::ECS::Cluster")["ClusterSettings"] == [
        {"Name": "containerInsights", "Value": "enabled"}
    ]


_GROUPS = {
    "The load balancer before a forwarder": "load balancer",
    "The tasks of a forwarder": "tasks",
    "The VPC endpoints that forwarders reach AWS through": "endpoints",
}


def rules(scene: Scene) -> dict[str, set[tuple[str, str, int]]]:
    """Who may send to whom on which port, by what the receiving side lets in and the sending side out."""
    groups = scene.of_type("AWS::EC2::SecurityGroup")
    names = {name: _GROUPS[one["GroupDescription"]] for name, one in groups.items()}

    def peer(rule: dict[str, Any], side: str) -> str:
        if "CidrIp" in rule:
            return str(rule["CidrIp"])
        return names[rule[f"{side}SecurityGroupId"]["Fn::GetAtt"][0]]

    into, out = set(), set()
    for group, properties in groups.items():
        for rule in properties.get("SecurityGroupIngress", ()):
            into.add((peer(rule, "Source"), names[group], ports(rule)))
        for rule in properties.get("SecurityGroupEgress", ()):
            if rule["CidrIp"] != "255.255.255.255/32":  # how CDK says: nothing
                out.add((names[group], peer(rule, "Destination"), ports(rule)))
    for rule in scene.of_type("AWS::EC2::SecurityGroupIngress").values():
        into.add((peer(rule, "Source"), names[rule["GroupId"]["Fn::GetAtt"][0]], ports(rule)))
    for rule in scene.of_type("AWS::EC2::SecurityGroupEgress").values():
        out.add((names[rule["GroupId"]["Fn::GetAtt"][0]], peer(rule, "Destination"), ports(rule)))
    return {"in": into, "out": out}


def ports(rule: dict[str, Any]) -> int:
    assert rule["IpProtocol"] == "tcp"
    assert rule["FromPort"] == rule["ToPort"]
    port: int = rule["FromPort"]
    return port
