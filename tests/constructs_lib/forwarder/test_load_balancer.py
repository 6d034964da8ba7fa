"""The way in: HTTPS alone, and for those alone who are let in."""

import pytest
from aws_cdk import aws_ec2 as ec2

from constructs_lib.forwarder import ForwarderDestination, ForwarderNetwork
from tests.constructs_lib.forwarder.scene import (
    ACCOUNT,
    CERTIFICATE_ARN,
    REGION,
    ROLE_ARN,
    Scene,
    new_stack,
    stream,
)

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def attributes(scene: Scene) -> dict[str, object]:
    return {one["Key"]: one["Value"] for one in scene.only(BALANCER)["LoadBalancerAttributes"]}


def facing(*allowed: str) -> Scene:
    stack = new_stack()
    network = ForwarderNetwork(stack, "Network", internet_facing=True)
    return Scene(stack, network=network, allowed_cidrs=allowed)


def let_in(scene: Scene) -> list[tuple[str, int, int]]:
    group = scene.properties(scene.forwarder.load_balancer.connections.security_groups[0])
    return [(one["CidrIp"], one["FromPort"], one["ToPort"]) for one in group["SecurityGroupIngress"]]


def test_it_listens_for_https_with_the_certificate_and_for_nothing_else(plain: Scene) -> None:
    listener = plain.only(LISTENER)
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["Certificates"] == [{"CertificateArn": CERTIFICATE_ARN}]


def test_tls_is_1_2_or_newer(plain: Scene) -> None:
    # TLS 1.3 and, of 1.2, the suites with forward secrecy: ELB's own list of policies.
    assert plain.only(LISTENER)["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


def test_it_is_internal_and_lets_the_vpc_in_unless_told_otherwise(plain: Scene) -> None:
    assert plain.only(BALANCER)["Scheme"] == "internal"
    assert let_in(plain) == [("10.0.0.0/16", 443, 443)]


def test_it_may_face_the_internet_for_those_named() -> None:
    scene = facing("203.0.113.0/24", "198.51.100.7/32")
    assert scene.only(BALANCER)["Scheme"] == "internet-facing"
    assert let_in(scene) == [("203.0.113.0/24", 443, 443), ("198.51.100.7/32", 443, 443)]


def test_facing_the_internet_takes_somebody_who_may_reach_it() -> None:
    with pytest.raises(
        ValueError,
        match=r"allowed_cidrs: an internet-facing load balancer that nobody may reach takes no event; name "
        r'who may send, \["0.0.0.0/0"\] for everybody, or leave internet_facing out',
    ):
        facing()


def test_internally_too_others_than_the_vpc_may_be_named() -> None:
    assert let_in(Scene(allowed_cidrs=["10.0.0.0/16", "10.9.0.0/16"])) == [
        ("10.0.0.0/16", 443, 443),
        ("10.9.0.0/16", 443, 443),
    ]


@pytest.mark.parametrize("cidr", ["203.0.113.7/24", "office", "2001:db8::/32", "0.0.0.0/33"])
def test_what_is_no_ipv4_block_is_refused(cidr: str) -> None:
    with pytest.raises(
        ValueError, match=rf"allowed_cidrs: '{cidr}' is not allowed \(.*\); it looks like 203.0.113.0/24"
    ):
        Scene(allowed_cidrs=[cidr])


def test_a_vpc_whose_addresses_are_not_known_lets_nobody_in_unnamed() -> None:
    stack = new_stack()
    zones = [f"{REGION}a", f"{REGION}b"]
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=zones,
        private_subnet_ids=["subnet-1", "subnet-2"],
        private_subnet_route_table_ids=["rtb-1", "rtb-2"],
    )
    network = ForwarderNetwork(stack, "Network", vpc=vpc)
    with pytest.raises(ValueError, match=r"vpc: vpc-1 was imported without its addresses.* allowed_cidrs"):
        Scene(stack, network=network)
    other = new_stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        other,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=zones,
        private_subnet_ids=["subnet-1", "subnet-2"],
        private_subnet_route_table_ids=["rtb-1", "rtb-2"],
    )
    network = ForwarderNetwork(other, "Network", vpc=vpc)
    assert let_in(Scene(other, network=network, allowed_cidrs=["10.9.0.0/16"])) == [("10.9.0.0/16", 443, 443)]


def test_a_target_is_healthy_while_the_forwarder_says_so(plain: Scene) -> None:
    group = plain.only(GROUP)
    assert (group["HealthCheckPath"], group["Matcher"]) == ("/healthz", {"HttpCode": "200"})
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (10, 5)
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (2, 3)


def test_targets_are_the_tasks_addresses_and_the_one_with_the_fewest_open_requests_comes_first(
    plain: Scene,
) -> None:
    group = plain.only(GROUP)
    assert (group["TargetType"], group["Port"], group["Protocol"]) == ("ip", 8080, "HTTP")
    assert {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"} in group[
        "TargetGroupAttributes"
    ]
    [target] = plain.only("AWS::ECS::Service")["LoadBalancers"]
    assert target["TargetGroupArn"] == {"Ref": plain.logical_id(plain.forwarder.target_group)}


def test_malformed_headers_never_reach_a_task(plain: Scene) -> None:
    found = attributes(plain)
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert found["routing.http.desync_mitigation_mode"] == "defensive"


def test_its_access_logs_are_kept(plain: Scene) -> None:
    found = attributes(plain)
    assert found["access_logs.s3.enabled"] == "true"
    assert found["access_logs.s3.bucket"] == {"Ref": plain.logical_id(plain.forwarder.network.log_bucket)}


def test_it_cannot_be_deleted_by_accident_where_data_is_kept(plain: Scene) -> None:
    assert attributes(plain)["deletion_protection.enabled"] == "true"


def test_a_stack_without_a_region_is_refused_in_words_that_say_why() -> None:
    with pytest.raises(
        ValueError,
        match=r"region: the stack 'Test' has none, and which account writes a load balancer's access logs "
        r'depends on it; make the stack with env=Environment\(region="us-west-2"\), say',
    ):
        Scene(new_stack(region=None))


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-4"])
def test_its_logs_are_written_in_regions_old_and_new(region: str) -> None:
    stack = new_stack(region=region)
    there = stream(stack, f"arn:aws:kinesis:{region}:{ACCOUNT}:stream/events")
    scene = Scene(stack, destinations=[ForwarderDestination(stream=there, role_arn=ROLE_ARN)])
    statements = scene.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    balancers = [one for one in statements if "/load-balancer/" in str(one["Resource"])]
    assert balancers
