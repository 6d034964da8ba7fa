"""The way in: an HTTPS load balancer that only those may reach who are allowed to."""

import ipaddress
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from constructs_lib.checks import known
from constructs_lib.forwarder.network import ForwarderNetwork
from constructs_lib.forwarder.timing import DEREGISTRATION_DELAY_SECONDS

PORT = 8080
"""Where the forwarder listens in its task."""

IDLE_TIMEOUT_SECONDS = 60
"""Less than the 75 s for which the forwarder keeps an idle connection: none closes under a request."""


class ForwarderLoadBalancer(Construct):
    """An Application Load Balancer with one HTTPS listener, and the targets behind it.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        network: where it is, and whether it faces the internet.
        certificate: of the name that clients use.
        allowed_cidrs: who may send, as IPv4 blocks. Default: the VPC; facing the internet there is none.
        deletion_protection: whether deleting it has to be allowed first.

    Raises:
        ValueError: facing the internet and nobody allowed, or what is not an IPv4 block.

    Attributes:
        load_balancer: the load balancer.
        listener: its HTTPS listener, on port 443.
        target_group: the tasks behind it.
    """

    target_group: elbv2.ApplicationTargetGroup

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: ForwarderNetwork,
        certificate: acm.ICertificate,
        allowed_cidrs: Sequence[str] | None,
        deletion_protection: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        cidrs = _allowed_cidrs(allowed_cidrs, network)
        security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="The load balancer before a forwarder",
            allow_all_outbound=False,
        )
        for cidr in cidrs:
            security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), f"Events from {cidr}")
        self.load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Resource",
            vpc=network.vpc,
            vpc_subnets=network.load_balancer_subnets,
            internet_facing=network.internet_facing,
            security_group=security_group,
            idle_timeout=Duration.seconds(IDLE_TIMEOUT_SECONDS),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
            deletion_protection=deletion_protection,
        )
        self.load_balancer.log_access_logs(network.log_bucket, "load-balancer")
        self.listener = self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            ssl_policy=elbv2.SslPolicy.TLS13_RES,
            certificates=[certificate],
            open=False,
        )

    def send_to(self, service: ecs.FargateService) -> None:
        """Have the service's tasks take what comes in."""
        self.target_group = self.listener.add_targets(
            "Tasks",
            port=PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            targets=[service],
            deregistration_delay=Duration.seconds(DEREGISTRATION_DELAY_SECONDS),
            # A request is answered when Kinesis has its events, so one may take long: count those open.
            load_balancing_algorithm_type=elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
            health_check=elbv2.HealthCheck(
                path="/healthz",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
                healthy_http_codes="200",
            ),
        )


def _allowed_cidrs(cidrs: Sequence[str] | None, network: ForwarderNetwork) -> Sequence[str]:
    if not cidrs:
        if network.internet_facing:
            raise ValueError(
                "allowed_cidrs: an internet-facing load balancer that nobody may reach takes no event; "
                'name who may send, ["0.0.0.0/0"] for everybody, or leave internet_facing out'
            )
        return [network.cidr]
    for cidr in cidrs:
        if known(cidr):
            try:
                ipaddress.IPv4Network(cidr)
            except ValueError as error:
                raise ValueError(
                    f"allowed_cidrs: {cidr!r} is not allowed ({error}); it looks like 203.0.113.0/24"
                ) from None
    return cidrs
