"""The stream, its key, and the role for writers from outside: all that Segment's own destination needs."""

import re
from typing import Any

from aws_cdk import (
    Acknowledgment,
    Annotations,
    Duration,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib import (
    DestinationRole,
    Encryption,
    EventStream,
    NetworkConditions,
    ShardCapacity,
    SplitRoles,
    segment_principal,
)
from constructs_lib.destination_role import SplitOptions
from environments import model
from stacks.wiring import existing_stream, output, secret_values

_KEY_OF_ONES_OWN = Acknowledgment(
    id="AwsSolutions::AwsSolutions-KDS3",
    reason="The environment asks for a customer managed key: its policy decides who can read the records",
)


class StreamStack(Stack):
    """One environment's stream and role, and as outputs what a user pastes into Segment's settings.

    The External ID is no output: the user brings it, and it is to be treated as a password.

    Attributes:
        event_stream: the stream, for stacks that build on it.
        destination_roles: the role for outside writers; several where the environment says `split`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: model.Environment, **options: Any
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self.event_stream = (
            self._new_stream(environment.stream or model.Stream())
            if environment.existing_stream is None
            else existing_stream(self, "Stream", environment.existing_stream)
        )
        self.destination_roles = self._roles(environment.role)

        if self.event_stream.encryption_key is not None:
            Validations.of(self.event_stream).acknowledge(_KEY_OF_ONES_OWN)
        self._role_outputs(self.destination_roles)
        output(self, "StreamRegion", self.event_stream.region, "Segment's setting AWS Kinesis Stream Region")
        output(self, "StreamName", self.event_stream.stream_name, "Segment's setting AWS Kinesis Stream Name")

    def _new_stream(self, settings: model.Stream) -> EventStream:
        key_arn, load = settings.encryption_key_arn, settings.load
        return EventStream(
            self,
            "Stream",
            stream_name=settings.name,
            shard_count=settings.shard_count,
            capacity=None
            if load is None
            else ShardCapacity.for_load(
                events_per_second=load.events_per_second,
                average_event_bytes=load.average_event_bytes,
                peak_factor=load.peak_factor,
                headroom=load.headroom,
                consumers=load.consumers,
            ),
            stream_mode=kinesis.StreamMode.ON_DEMAND
            if settings.on_demand
            else kinesis.StreamMode.PROVISIONED,
            warm_throughput_mibps=settings.warm_throughput_mibps,
            retention_period=Duration.hours(settings.retention_hours),
            max_record_kib=settings.max_record_kib,
            encryption=Encryption(settings.encryption),
            encryption_key=kms.Key.from_key_arn(self, "StreamKey", key_arn) if key_arn else None,
            shard_level_metrics=list(map(_shard_level_metric, settings.shard_level_metrics)),
            removal_policy=RemovalPolicy[settings.removal_policy.upper()],
        )

    def _roles(self, settings: model.Role) -> SplitRoles:
        options = self._role_options(settings)
        if settings.split and settings.source_ids is not None:
            return DestinationRole.split(
                self,
                "Role",
                source_ids=settings.source_ids,
                retired_source_ids=settings.retired_source_ids,
                role_name=settings.name,
                **options,
            )
        role = DestinationRole(
            self,
            "Role",
            source_ids=settings.source_ids,
            secret_ids=secret_values(settings.secret_ids),
            role_name=settings.name,
            **options,
        )
        return SplitRoles(roles=(role,), role_of=dict.fromkeys(settings.source_ids or (), role))

    def _role_options(self, settings: model.Role) -> SplitOptions:
        others = [
            existing_stream(self, f"OtherStream{number}", stream)
            for number, stream in enumerate(settings.other_streams, start=1)
        ]
        network, boundary_arn = settings.network, settings.permissions_boundary_arn
        return {
            "streams": [self.event_stream, *others],
            "principals": list(map(_principal, settings.principals)),
            "shard_map": settings.shard_map,
            "network": None
            if network is None
            else NetworkConditions(
                vpc_endpoint_ids=network.vpc_endpoint_ids, source_addresses=network.source_addresses
            ),
            "path": settings.path,
            "permissions_boundary": iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", boundary_arn)
            if boundary_arn
            else None,
            "max_trust_policy_length": settings.max_trust_policy_length,
        }

    def _role_outputs(self, roles: SplitRoles) -> None:
        for role in roles.roles:
            name = role.node.id.replace("Role", "RoleAddress")  # keeps its name when roles before it go
            output(self, name, role.role_arn, "Segment's setting Role Address")
            if len(roles.roles) > 1:
                its_own = [source_id for source_id, owner in roles.role_of.items() if owner is role]
                Annotations.of(self).add_info(
                    f"{name} is the Role Address of the sources {', '.join(its_own)}"
                )


def _shard_level_metric(name: str) -> kinesis.ShardLevelMetrics:
    """Return CDK's member for CloudFormation's name: INCOMING_BYTES for IncomingBytes."""
    return kinesis.ShardLevelMetrics[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()]


def _principal(name: str) -> iam.IPrincipal:
    if name in ("segment", "segment-account"):
        return segment_principal(whole_account=name == "segment-account")
    if len(name) == 12 and name.isdigit():
        return iam.AccountPrincipal(name)
    return iam.ArnPrincipal(name)
