"""The role that a writer assumes under an External ID to deliver events into streams."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Required, TypedDict, Unpack

from aws_cdk import SecretValue, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import check_integer, check_role_name, known
from constructs_lib.delivery_policy import DeliveryPolicy, NetworkConditions
from constructs_lib.event_stream_base import EventStreamBase
from constructs_lib.external_ids import external_ids
from constructs_lib.first_fit import first_fit
from constructs_lib.trust import TRUST_POLICY_QUOTA, Trust

# A text that is not known at synth: taken for as short as it can be where more would be an error, so that
# nothing right is refused, and for a role ARN with the longest name where roles are filled.
_SHORTEST, _LONGEST = 2, 96

_PATH = re.compile(r"/|/[\x21-\x7f]{1,510}/")


class SplitOptions(TypedDict, total=False):
    """The props of `DestinationRole` that are the same for all roles of a split."""

    streams: Required[Sequence[EventStreamBase]]
    principals: Sequence[iam.IPrincipal] | None
    whole_account: bool
    shard_map: bool
    network: NetworkConditions | None
    path: str | None
    permissions_boundary: iam.IManagedPolicy | None
    max_trust_policy_length: int


class DestinationRole(Construct):
    r"""The role whose ARN a user gives to a Segment destination, or to a forwarder, as Role Address.

    It can be assumed by the trusted principals alone, and only with one of the External IDs. It can put
    records into the streams, use their customer managed keys for that, and ask IAM about its own
    permissions. Adding or removing an External ID changes its trust policy and nothing else.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`; part of the role's logical id, so a change of it replaces it.
        streams: one stream or more, in one region or several.
        source_ids: the Segment source IDs that are accepted as External ID.
        secret_ids: in place of `source_ids`, Secret IDs (Segment's workspace ID). A `SecretValue` from
            Secrets Manager keeps the text out of template and code; CloudFormation reads it at deploy.
        principals: who is trusted. Default: Segment's own writer; `segment_principal()` is it, for a list.
        whole_account: trust all of Segment's account, not only its writer; not together with `principals`.
        shard_map: also allow ListShards and DescribeStreamSummary, as Headgate's forwarder likes.
        network: where records may come from; never together with Segment, whose addresses are its own.
        role_name: 1 to 64 of `[\w+=,.@-]`. Default: CloudFormation makes one.
        path: of role and policy, `/` or `/.../`. Default: `/`.
        permissions_boundary: the most that the role may do, whatever its policy says.
        max_trust_policy_length: IAM's quota "Role trust policy length" of the account, 2,048 to 8,192.

    Raises:
        ValueError: a prop is out of its range or excludes another; the text names it and the way out.

    Attributes:
        role: the CDK role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        streams: Sequence[EventStreamBase],
        source_ids: Sequence[str] | None = None,
        secret_ids: Sequence[str | SecretValue] | None = None,
        principals: Sequence[iam.IPrincipal] | None = None,
        whole_account: bool = False,
        shard_map: bool = False,
        network: NetworkConditions | None = None,
        role_name: str | None = None,
        path: str | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        max_trust_policy_length: int = TRUST_POLICY_QUOTA[0],
    ) -> None:
        super().__init__(scope, construct_id)
        ids = external_ids(Stack.of(self), source_ids, secret_ids)
        trust = Trust(Stack.of(self), principals, whole_account=whole_account)
        _check_network(network, trust)
        _check_names(role_name, path)
        _check_length(trust, ids, max_trust_policy_length)
        self.role = iam.Role(
            self,
            "Resource",
            description="Assumed under an External ID to deliver events into Kinesis streams",
            assumed_by=iam.CompositePrincipal(*trust.groups),
            external_ids=ids,
            role_name=role_name,
            path=path,
            permissions_boundary=permissions_boundary,
        )
        DeliveryPolicy(
            self, "Policy", role=self.role, streams=streams, shard_map=shard_map, network=network, path=path
        )

    @property
    def role_arn(self) -> str:
        """The role's ARN: Segment's setting Role Address, a forwarder's `role_address`."""
        return self.role.role_arn

    @classmethod
    def split(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        source_ids: Sequence[str],
        retired_source_ids: Sequence[str] = (),
        role_name: str | None = None,
        **options: Unpack[SplitOptions],
    ) -> "SplitRoles":
        """Make as few roles as it takes for all source IDs to fit into their trust policies.

        Each source ID goes, in the order given, to the first role with room for it. So an ID that is appended
        moves no other, and the first role is the one that `DestinationRole` itself would make. To take one
        away without moving those after it, leave it in `source_ids` and name it in `retired_source_ids` too.

        Args:
            scope: where to make them.
            construct_id: id of the first role; those after it are called `construct_id` and 2, 3, ...
            source_ids: the Segment source IDs, in an order that is kept.
            retired_source_ids: those of them that keep their place but are accepted no more.
            role_name: name of the first role; those after it are called `role_name` and -2, -3, ...
            options: the other props of `DestinationRole`, the same for all.

        Raises:
            ValueError: as for `DestinationRole`, or a retired source ID is none of `source_ids`.
        """
        external_ids(Stack.of(scope), source_ids, None)
        _check_retired(source_ids, retired_source_ids)
        trust = Trust(
            Stack.of(scope),
            options.get("principals"),
            whole_account=options.get("whole_account", False),
        )
        quota = options.get("max_trust_policy_length", TRUST_POLICY_QUOTA[0])
        roles: list[DestinationRole] = []
        role_of: dict[str, DestinationRole] = {}
        placed = first_fit(source_ids, trust.policy_sizes(unknown=_LONGEST), quota)
        for number, its_source_ids in enumerate(placed, start=1):
            accepted = [source_id for source_id in its_source_ids if source_id not in retired_source_ids]
            if not accepted:
                continue
            first = number == 1
            role = cls(
                scope,
                construct_id if first else f"{construct_id}{number}",
                source_ids=accepted,
                role_name=role_name if first or role_name is None else f"{role_name}-{number}",
                **options,
            )
            roles.append(role)
            role_of |= dict.fromkeys(accepted, role)
        return SplitRoles(roles=tuple(roles), role_of=role_of)


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRoles:
    """Several roles for many sources.

    Attributes:
        roles: the roles, in order.
        role_of: for each source ID that is accepted the role to name in its Role Address.
    """

    roles: tuple[DestinationRole, ...]
    role_of: Mapping[str, DestinationRole]


def _check_length(trust: Trust, ids: Sequence[str], quota: int) -> None:
    check_integer("max_trust_policy_length", quota, *TRUST_POLICY_QUOTA, unit=" of characters")
    length = trust.policy_sizes(unknown=_SHORTEST)(ids)
    if length > quota:
        raise ValueError(
            f"source_ids or secret_ids: {len(ids)} of them make a trust policy of {length:,} characters; "
            f"allowed: {quota:,} (max_trust_policy_length). Let Segment send a Secret ID, make several "
            "roles with DestinationRole.split(...), or have the quota raised and say so"
        )


def _check_network(network: NetworkConditions | None, trust: Trust) -> None:
    if network is not None and trust.segment:
        raise ValueError(
            "network: it would lock Segment out, which writes from addresses of its own; leave it out, "
            "or trust your own forwarder in place of Segment"
        )


def _check_names(role_name: str | None, path: str | None) -> None:
    check_role_name("role_name", role_name)
    if known(path) and not _PATH.fullmatch(str(path)):
        raise ValueError(f"path: {path!r} is not allowed; it must be / or begin and end with /, as /writers/")


def _check_retired(source_ids: Sequence[str], retired: Sequence[str]) -> None:
    if strangers := [source_id for source_id in retired if source_id not in source_ids]:
        raise ValueError(
            f"retired_source_ids: {', '.join(map(repr, strangers))} is not among source_ids; "
            "a retired source ID stays there to keep its place"
        )
