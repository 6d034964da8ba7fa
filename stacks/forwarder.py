"""The forwarder: the service that takes events from Segment's SDKs, and the role that it writes with."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Aws, RemovalPolicy, Stack, Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import DestinationRole, EventStreamBase, NetworkConditions
from constructs_lib.dashboard import EventDashboard
from constructs_lib.forwarder import (
    Forwarder,
    ForwarderDestination,
    ForwarderNetwork,
    forwarder_principal,
)
from constructs_lib.forwarder.network import CIDR
from constructs_lib.forwarder.settings import Settings
from environments import forwarder as env
from environments.audience import Audience
from stacks.forwarder_wiring import alarm_actions, audience_role_name, sources_secret
from stacks.wiring import existing_stream, output, secret_values

_OPEN_TO_ALL = Acknowledgment(
    id="AwsSolutions::AwsSolutions-EC23",
    reason="The environment lets everybody send: browsers and phones are everywhere. A write key is needed",
)
_NO_ROUTE_TABLES = Acknowledgment(
    id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
    reason="Only gateway endpoints need route tables, and those of a VPC that is there are its owner's",
)
_EVERYBODY = "0.0.0.0/0"


class ForwarderStack(Stack):
    """One environment's forwarder, in front of the stream of its `StreamStack`.

    It makes its own `DestinationRole` on the stream, so that neither stack names the other's role. The names
    of that role and of the task role are fixed, `headgate-ENVIRONMENT-delivery` and
    `headgate-ENVIRONMENT-forwarder`: settings and streams of other accounts can name them before they are.

    With `audiences` it lets in what their own stack will run, by the name of that role, and is otherwise the
    same: it can be deployed before that stack and without it.

    Attributes:
        forwarder: the forwarder.
        destinations: where it may deliver to.
        dashboard: its dashboard and alarms, with the stream where that is in the same region.
        destination_role: the role that it writes to the environment's stream with.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: env.Forwarder,
        event_stream: EventStreamBase,
        audiences: Sequence[Audience] = (),
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        task_role_name = f"headgate-{name}-forwarder"
        writers = [task_role_name, *([audience_role_name(name)] if audiences else [])]
        place = settings.network or env.Network()
        network = self._network(place)
        self.destination_role = DestinationRole(
            self,
            "Role",
            streams=[event_stream],
            source_ids=settings.source_ids,
            secret_ids=secret_values(settings.secret_ids),
            principals=[
                forwarder_principal(task_role_name=writers),
                *map(iam.ArnPrincipal, settings.operators),
            ],
            shard_map=True,
            network=NetworkConditions(vpc_endpoint_ids=[network.kinesis_endpoint_id])
            if place.bind_to_endpoint
            else None,
            role_name=f"headgate-{name}-delivery",
        )
        removal_policy = RemovalPolicy[settings.removal_policy.upper()]
        self.sources = sources_secret(self, settings) or self._settings_table(removal_policy)
        self.destinations = [
            ForwarderDestination.of(event_stream, self.destination_role),
            *self._other_destinations(settings.other_destinations),
        ]
        self.forwarder = Forwarder(
            self,
            "Forwarder",
            sources=self.sources,
            destinations=self.destinations,
            domain_name=settings.domain_name,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate_arn),
            network=network,
            allowed_cidrs=place.allowed_cidrs,
            cpu_architecture=getattr(ecs.CpuArchitecture, settings.cpu_architecture.upper()),
            cpu=settings.cpu,
            memory_mib=settings.memory_mib,
            min_tasks=settings.min_tasks,
            max_tasks=settings.max_tasks,
            task_role_name=task_role_name,
            service_name=f"headgate-{name}",
            removal_policy=removal_policy,
        )
        if audiences:
            self._let_through(audiences, name)
        self.dashboard = EventDashboard(
            self,
            "Dashboard",
            streams=[event_stream] if event_stream.region == self.region else [],
            forwarder=self.forwarder,
            alarm_actions=alarm_actions(self, settings),
            dashboard_name=f"headgate-{name}",
        )
        if _EVERYBODY in (place.allowed_cidrs or ()):
            Validations.of(self.forwarder).acknowledge(_OPEN_TO_ALL)

        forwarder = self.forwarder
        output(self, "Url", f"https://{settings.domain_name}", "Where Segment's SDKs are to send")
        output(
            self,
            "LoadBalancerName",
            forwarder.load_balancer.load_balancer_dns_name,
            "What the domain name is to point at, as CNAME or alias",
        )
        output(self, "RoleAddress", self.destination_role.role_arn, "The settings' role_address")
        output(self, "TaskRole", forwarder.task_role.role_arn, "Whom roles of other accounts are to trust")
        output(
            self, "OverflowQueue", forwarder.overflow_queue.queue_url, "What Kinesis could not take in time"
        )
        output(
            self,
            "DeadLetterQueue",
            forwarder.dead_letter_queue.queue_url,
            "What no stream takes; see headgate redrive",
        )
        output(self, "Log", forwarder.log_group.log_group_name, "The forwarder's log, and its metrics")

    def _network(self, settings: env.Network) -> ForwarderNetwork:
        if settings.vpc_id is None:
            return ForwarderNetwork(
                self,
                "Network",
                internet_facing=settings.internet_facing,
                private_delivery=settings.private_delivery,
                cidr=settings.cidr or CIDR,
            )
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=settings.vpc_id,
            availability_zones=list(settings.availability_zones or ()),
            vpc_cidr_block=settings.cidr,
        )
        public = settings.public_subnet_ids
        return ForwarderNetwork(
            self,
            "Network",
            vpc=vpc,
            task_subnets=self._subnets("Task", settings.task_subnet_ids or ()),
            load_balancer_subnets=self._subnets("Public", public) if public else None,
            internet_facing=settings.internet_facing,
            private_delivery=False,
        )

    def _subnets(self, kind: str, ids: Sequence[str]) -> ec2.SubnetSelection:
        subnets = [
            ec2.Subnet.from_subnet_id(self, f"{kind}Subnet{number}", subnet_id)
            for number, subnet_id in enumerate(ids, start=1)
        ]
        for subnet in subnets:
            Validations.of(subnet).acknowledge(_NO_ROUTE_TABLES)
        return ec2.SubnetSelection(subnets=subnets)

    def _let_through(self, audiences: Sequence[Audience], name: str) -> None:
        """Open the endpoints for the audiences' stack, which comes after this one: by names alone."""
        from constructs_lib.audiences import AudienceMembers, let_through

        endpoints = self.forwarder.network.endpoints
        if endpoints is not None:
            let_through(
                endpoints,
                task_role_arn=f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{audience_role_name(name)}",
                destinations=self.destinations,
                sources=self.sources,
                members=[AudienceMembers(location=each.members) for each in audiences],
            )

    def _settings_table(self, removal_policy: RemovalPolicy) -> Settings:
        # An environment without one need not load DynamoDB's constructs.
        from constructs_lib.forwarder.settings_table import SettingsTable

        settings = SettingsTable(self, "Settings", removal_policy=removal_policy)
        policy = iam.ManagedPolicy(
            self,
            "ChangeSettings",
            description="Changes of a forwarder's settings with headgate settings",
            document=iam.PolicyDocument(statements=settings.changing_statements()),
        )
        output(self, "SettingsTable", settings.table.table_name, "The table of headgate settings")
        output(self, "SettingsPolicy", policy.managed_policy_arn, "The policy of those who change settings")
        return settings

    def _other_destinations(self, destinations: Sequence[env.Destination]) -> list[ForwarderDestination]:
        return [
            ForwarderDestination(
                stream=existing_stream(self, f"OtherStream{number}", each.stream),
                role_arn=each.role_address,
            )
            for number, each in enumerate(destinations, start=1)
        ]
