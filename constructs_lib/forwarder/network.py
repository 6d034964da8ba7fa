"""The network that a forwarder lives in: made here, or handed in by those who own one."""

import ipaddress

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from constructs_lib.checks import check_integer, known
from constructs_lib.forwarder.endpoints import PrivateEndpoints
from constructs_lib.forwarder.log_bucket import log_bucket as new_log_bucket

CIDR = "10.0.0.0/16"
"""Addresses of a VPC made here, unless others are asked for."""

_PREFIX_LENGTHS = (16, 24)
"""16 is the most addresses that a VPC has; beyond 24 they would not do for all subnets of six zones."""

# Without these, CDK lets S3 write its logs by an ACL, which new buckets refuse, and has no policy for flow
# logs. Flags belong to the app; what is made here must not depend on them.
_FLAGS = ("@aws-cdk/aws-s3:createDefaultLoggingPolicy", "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy")


class ForwarderNetwork(Construct):
    """A VPC with subnets for the tasks and for the load balancer; several forwarders may share it.

    Without `vpc` one is made: in two availability zones or more, with flow logs, and with private delivery:
    the tasks' subnets have no way to the internet, and reach AWS through VPC endpoints whose policies name
    what the forwarders do. `private_delivery=False` makes NAT gateways in their place, for destinations in
    other regions.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        vpc: a VPC that is there already. Its endpoints, NAT gateways and flow logs are its owner's.
        task_subnets: where the tasks run. Default: the private subnets.
        load_balancer_subnets: where the load balancer is. Default: the tasks' own, or the public ones where
            it is `internet_facing`.
        internet_facing: whether the load balancer can be reached from the internet. Default: no.
        private_delivery: make the endpoints. Default: yes in a VPC made here, no in one handed in.
        availability_zones: of a VPC made here, 2 to 6.
        cidr: addresses of a VPC made here, as an IPv4 block of /16 to /24.
        log_bucket: takes the flow logs of a VPC made here and the load balancer's access logs. Default: a new
            one, which keeps them 90 days.

    Raises:
        ValueError: a prop is out of its range or excludes another; the text names it and the way out.

    Attributes:
        vpc: the VPC.
        endpoints: the VPC endpoints; `None` without private delivery.
        log_bucket: the bucket for logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc | None = None,
        task_subnets: ec2.SubnetSelection | None = None,
        load_balancer_subnets: ec2.SubnetSelection | None = None,
        internet_facing: bool = False,
        private_delivery: bool | None = None,
        availability_zones: int = 2,
        cidr: str = CIDR,
        log_bucket: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        check_integer("availability_zones", availability_zones, 2, 6)
        _check_cidr(cidr)
        for flag in _FLAGS:
            self.node.set_context(flag, value=True)
        private = vpc is None if private_delivery is None else private_delivery
        self.internet_facing = internet_facing
        self.log_bucket = log_bucket or new_log_bucket(self, "Logs")
        self.vpc = vpc or self._new_vpc(availability_zones, cidr, private)
        self._own_cidr = cidr if vpc is None else None
        self.task_subnets = task_subnets or ec2.SubnetSelection(
            subnet_type=_task_subnet_type(private) if vpc is None else ec2.SubnetType.PRIVATE_WITH_EGRESS
        )
        self.load_balancer_subnets = load_balancer_subnets or (
            ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC) if internet_facing else self.task_subnets
        )
        self.endpoints = (
            PrivateEndpoints(self, "Endpoints", vpc=self.vpc, subnets=self.task_subnets) if private else None
        )

    @property
    def way_out(self) -> list[IDependable]:
        """What has to be there for a task to reach AWS."""
        # Routes lead to NAT gateways, and to the endpoints that are gateways.
        routes = [each.internet_connectivity_established for each in self._chosen(self.task_subnets)]
        return routes if self.endpoints is None else [*routes, self.endpoints]

    @property
    def task_subnet_ids(self) -> list[str]:
        """IDs of the subnets that the tasks run in."""
        return [each.subnet_id for each in self._chosen(self.task_subnets)]

    def _chosen(self, selection: ec2.SubnetSelection) -> list[ec2.ISubnet]:
        # Those named one by one may be without a zone, which the VPC would ask them for.
        return (
            selection.subnets
            or self.vpc.select_subnets(
                availability_zones=selection.availability_zones,
                one_per_az=selection.one_per_az,
                subnet_filters=selection.subnet_filters,
                subnet_group_name=selection.subnet_group_name,
                subnet_type=selection.subnet_type,
            ).subnets
        )

    @property
    def cidr(self) -> str:
        """The VPC's addresses.

        Raises:
            ValueError: the VPC handed in was imported without them.
        """
        if self._own_cidr is not None:
            return self._own_cidr
        try:
            return self.vpc.vpc_cidr_block
        except RuntimeError:
            raise ValueError(
                f"vpc: {self.vpc.vpc_id} was imported without its addresses, so who may send is not known; "
                "import it with vpc_cidr_block, or name them in allowed_cidrs"
            ) from None

    @property
    def kinesis_endpoint_id(self) -> str:
        """ID of the endpoint for Kinesis, for `NetworkConditions` that bind a role's records to it.

        Raises:
            ValueError: there is none, without private delivery.
        """
        if self.endpoints is None:
            raise ValueError(
                "private_delivery: records cannot be bound to an endpoint that is not made; "
                "set private_delivery=True, or name an endpoint of yours in NetworkConditions"
            )
        return self.endpoints.kinesis.vpc_endpoint_id

    def _new_vpc(self, availability_zones: int, cidr: str, private: bool) -> ec2.Vpc:
        tasks = ec2.SubnetConfiguration(name="Tasks", subnet_type=_task_subnet_type(private))
        public = ec2.SubnetConfiguration(
            name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
        )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            # The deployment knows them. CDK itself would ask AWS at synth, or without an account take two.
            availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(availability_zones)],
            # Closing that takes a Lambda function with rights over security groups. Nothing here uses it.
            restrict_default_security_group=False,
            nat_gateways=0 if private else availability_zones,
            subnet_configuration=[tasks, *([public] if self.internet_facing or not private else [])],
        )
        vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_s3(self.log_bucket, "network"),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )
        return vpc


def _check_cidr(cidr: str) -> None:
    if not known(cidr):
        return
    low, high = _PREFIX_LENGTHS
    try:
        fits = low <= ipaddress.IPv4Network(cidr).prefixlen <= high
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"cidr: {cidr!r} is not allowed; it must be an IPv4 block of /{low} to /{high}, as {CIDR}"
        )


def _task_subnet_type(private: bool) -> ec2.SubnetType:
    return ec2.SubnetType.PRIVATE_ISOLATED if private else ec2.SubnetType.PRIVATE_WITH_EGRESS
