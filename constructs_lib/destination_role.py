"""The role that a writer assumes under an External ID to deliver events into streams."""

import re
from collections.abc import Sequence

from aws_cdk import SecretValue, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import check_integer, known
from constructs_lib.delivery_policy import DeliveryPolicy, NetworkConditions
from constructs_lib.event_stream import EventStreamBase
from constructs_lib.external_ids import external_ids
from constructs_lib.trust import (
    TrustedPrincipals,
    check_segment_can_exist,
    segment_principal,
    trust_policy_length,
    trusted_principals,
    trusts_segment,
)

TRUST_POLICY_QUOTA = (2_048, 8_192)
"""Characters of a role's trust policy: IAM's default, and the most that Service Quotas raises it to."""

_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/|/[\x21-\x7f]{1,510}/")


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
        ids = external_ids(source_ids, secret_ids)
        groups = _trusted(principals, whole_account)
        check_segment_can_exist(Stack.of(self), groups)
        _check_network(network, groups)
        _check_names(role_name, path)
        check_integer(
            "max_trust_policy_length", max_trust_policy_length, *TRUST_POLICY_QUOTA, unit=" of characters"
        )
        self._check_length(groups, ids, max_trust_policy_length)
        self.role = iam.Role(
            self,
            "Resource",
            description="Assumed under an External ID to deliver events into Kinesis streams",
            assumed_by=iam.CompositePrincipal(*groups),
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

    def _check_length(self, groups: Sequence[TrustedPrincipals], ids: Sequence[str], quota: int) -> None:
        # A text that is not known yet is taken for as short as it can be, so that nothing right is refused.
        length = trust_policy_length(Stack.of(self), groups, ids, unknown=2)
        if length > quota:
            raise ValueError(
                f"source_ids or secret_ids: {len(ids)} of them make a trust policy of {length:,} characters; "
                f"allowed: {quota:,} (max_trust_policy_length). Let Segment send a Secret ID, make several "
                "roles with DestinationRole.split(...), or have the quota raised and say so"
            )


def _trusted(principals: Sequence[iam.IPrincipal] | None, whole_account: bool) -> list[TrustedPrincipals]:
    if principals is None:
        return trusted_principals([segment_principal(whole_account=whole_account)])
    if whole_account:
        raise ValueError(
            "whole_account: it says how Segment is trusted, and principals says who is; "
            "put segment_principal(whole_account=True) among principals"
        )
    return trusted_principals(principals)


def _check_network(network: NetworkConditions | None, groups: Sequence[TrustedPrincipals]) -> None:
    if network is not None and trusts_segment(groups):
        raise ValueError(
            "network: it would lock Segment out, which writes from addresses of its own; leave it out, "
            "or trust your own forwarder in place of Segment"
        )


def _check_names(role_name: str | None, path: str | None) -> None:
    if known(role_name) and not _ROLE_NAME.fullmatch(str(role_name)):
        raise ValueError(
            f"role_name: {role_name!r} is not allowed; "
            "it must be 1 to 64 letters, digits and any of _ + = , . @ -"
        )
    if known(path) and not _PATH.fullmatch(str(path)):
        raise ValueError(
            f"path: {path!r} is not allowed; it must be / or begin and end with /, as /delivery/ does"
        )
