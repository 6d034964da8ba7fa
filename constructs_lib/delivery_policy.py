"""What a writer may do: put records into the streams named, ask IAM about itself, and nothing else."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import check_partition, known
from constructs_lib.event_stream_base import DELIVERY_ACTIONS, KEY_ACTION, EventStreamBase, encryption_context
from constructs_lib.policy_size import policy_size

MANAGED_POLICY_QUOTA = 6_144
"""Characters of a managed policy, white space left out; not adjustable."""

SHARD_MAP_ACTIONS = ("kinesis:DescribeStreamSummary", "kinesis:ListShards")

_SHORTEST_STREAM_ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
_VPC_ENDPOINT_ID = re.compile(r"vpce-[0-9a-f]{8,17}")
# Behind aws:SourceIp stands a public address: what comes through a VPC endpoint has none.
_NEVER_A_SOURCE = [
    ipaddress.ip_network(block)
    for block in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkConditions:
    """Where records may come from; either of the two is enough.

    They bind the `kinesis` actions alone: KMS is called by Kinesis, not from your network.

    Attributes:
        vpc_endpoint_ids: interface endpoints for Kinesis, `vpce-` and 8 to 17 hex digits (`aws:SourceVpce`).
        source_addresses: public addresses or CIDR blocks, IPv4 or IPv6 (`aws:SourceIp`).

    Raises:
        ValueError: nothing given, or a value that no request could ever meet.
    """

    vpc_endpoint_ids: Sequence[str] = ()
    source_addresses: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.vpc_endpoint_ids and not self.source_addresses:
            raise ValueError("network: give vpc_endpoint_ids, source_addresses or both, or leave it out")
        for value in self.vpc_endpoint_ids:
            if known(value) and not _VPC_ENDPOINT_ID.fullmatch(value):
                raise ValueError(
                    f"vpc_endpoint_ids: {value!r} is not allowed; it looks like vpce-0a1b2c3d4e5f67890"
                )
        for value in self.source_addresses:
            if known(value):
                _check_source_address(value)

    @property
    def alternatives(self) -> list[dict[str, dict[str, list[str]]]]:
        """One condition for each way in."""
        endpoints, addresses = list(self.vpc_endpoint_ids), list(self.source_addresses)
        return [
            *([{"StringEquals": {"aws:SourceVpce": endpoints}}] if endpoints else []),
            *([{"IpAddress": {"aws:SourceIp": addresses}}] if addresses else []),
        ]


def _check_source_address(value: str) -> None:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(
            f"source_addresses: {value!r} is not allowed ({error}); "
            "it looks like 203.0.113.0/24 or 2001:db8::/32"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"source_addresses: {value!r} is every address; leave source_addresses out for that")
    if any(network.version == never.version and network.subnet_of(never) for never in _NEVER_A_SOURCE):  # type: ignore[arg-type]
        raise ValueError(
            f"source_addresses: {value!r} is a private address, which AWS never sees as the source; "
            "give the NAT gateway's public address, or vpc_endpoint_ids"
        )


class DeliveryPolicy(Construct):
    """A managed policy that lets one role deliver into streams; on a role made elsewhere too.

    Managed, not inline, because several compliance packs refuse inline policies. Each action stands on the
    resources that it needs: no wildcard action, no `Resource: "*"`.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        role: who gets it. Its own permissions it may ask IAM for (`iam:SimulatePrincipalPolicy`).
        streams: one stream or more, in one region or several.
        shard_map: also ListShards and DescribeStreamSummary on those streams, which Headgate's forwarder uses
            to pack by shard; Segment does not need it.
        network: where records may come from. Default: anywhere.
        path: the policy's path, `/` or `/.../`. Default: `/`.

    Raises:
        ValueError: no stream, the same stream twice, or more streams than a managed policy has room for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: iam.IRole,
        streams: Sequence[EventStreamBase],
        shard_map: bool = False,
        network: NetworkConditions | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_streams(streams)
        for stream in streams:
            check_partition(
                Stack.of(self),
                "streams",
                stream.stream_arn,
                way_out="make a role for it in its own partition",
            )
        document = iam.PolicyDocument(
            statements=[
                *_kinesis_statements(streams, shard_map, network),
                *_key_statements(streams),
                iam.PolicyStatement(
                    sid="AskAboutOwnPermissions",
                    actions=["iam:SimulatePrincipalPolicy"],
                    resources=[role.role_arn],
                ),
            ]
        )
        size = policy_size(Stack.of(self), document, unknown=len(_SHORTEST_STREAM_ARN))
        if size > MANAGED_POLICY_QUOTA:
            raise ValueError(
                f"streams: {len(streams)} of them make a policy of {size:,} characters; "
                f"allowed: {MANAGED_POLICY_QUOTA:,}. Make a DestinationRole for each part of them"
            )
        iam.ManagedPolicy(
            self,
            "Resource",
            description="Delivery of events into Kinesis streams",
            path=path,
            roles=[role],
            document=document,
        )


def _check_streams(streams: Sequence[EventStreamBase]) -> None:
    if not streams:
        raise ValueError("streams: an empty list grants nothing; give one stream or more")
    arns = [stream.stream_arn for stream in streams]
    if repeated := {arn for arn in arns if arns.count(arn) > 1}:
        raise ValueError(f"streams: {', '.join(sorted(repeated))} is given more than once; give each once")


def _kinesis_statements(
    streams: Sequence[EventStreamBase], shard_map: bool, network: NetworkConditions | None
) -> list[iam.PolicyStatement]:
    actions = [*DELIVERY_ACTIONS, *(SHARD_MAP_ACTIONS if shard_map else ())]
    conditions: Sequence[dict[str, Any] | None] = network.alternatives if network else [None]
    return [
        iam.PolicyStatement(
            sid=f"DeliverToStreams{number or ''}",
            actions=actions,
            resources=[stream.stream_arn for stream in streams],
            conditions=condition,
        )
        for number, condition in enumerate(conditions)
    ]


def _key_statements(streams: Sequence[EventStreamBase]) -> list[iam.PolicyStatement]:
    """One statement for each customer managed key, bound to the streams that are encrypted with it."""
    stream_arns: dict[str, list[str]] = {}
    for stream in streams:
        if stream.encryption_key is not None:
            stream_arns.setdefault(stream.encryption_key.key_arn, []).append(stream.stream_arn)
    return [
        iam.PolicyStatement(
            sid=f"EncryptForStreams{number or ''}",
            actions=[KEY_ACTION],
            resources=[key_arn],
            conditions=encryption_context(arns),
        )
        for number, (key_arn, arns) in enumerate(stream_arns.items())
    ]
