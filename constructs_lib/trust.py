"""Who may assume a destination's role: the trust policy, and how long IAM lets it be."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from constructs_lib.checks import check_partition, known
from constructs_lib.policy_size import policy_size

TRUST_POLICY_QUOTA = (2_048, 8_192)
"""Characters of a role's trust policy: IAM's default, and the most that Service Quotas raises it to."""

SEGMENT_ACCOUNT = "595280932656"
SEGMENT_WRITER_ARN = f"arn:aws:iam::{SEGMENT_ACCOUNT}:role/customer-kinesis-access"
"""The role that Segment's Kinesis destination writes with, from Segment's documentation."""

Conditions = dict[str, Any]


def segment_principal(*, whole_account: bool = False) -> iam.ArnPrincipal:
    """Return Segment's own writer, to be named beside other principals.

    Args:
        whole_account: any role of Segment's account, the "Account ID" form of Segment's documentation, in
            place of the one role that writes to Kinesis.
    """
    return iam.ArnPrincipal(f"arn:aws:iam::{SEGMENT_ACCOUNT}:root" if whole_account else SEGMENT_WRITER_ARN)


class TrustedPrincipals(iam.PrincipalBase):
    """AWS principals under one set of conditions, in one statement: each External ID stands there once."""

    def __init__(self, arns: Sequence[str], conditions: Conditions) -> None:
        super().__init__()
        self.arns = list(arns)
        self.statement_conditions = conditions

    @property
    def policy_fragment(self) -> iam.PrincipalPolicyFragment:
        """What CDK puts into the statement."""
        return iam.PrincipalPolicyFragment({"AWS": self.arns}, self.statement_conditions)

    def dedupe_string(self) -> str | None:
        """Nothing: CDK never has to merge these."""
        return None


class Trust:
    """Principals that are checked, and what the trust policy that names them measures.

    Args:
        stack: where the role is.
        principals: who is trusted; None for Segment's own writer.
        whole_account: with no principals given, all of Segment's account.

    Raises:
        ValueError: there is no principal, or one that cannot send an External ID, that is everybody, or that
            cannot exist in the stack's partition.

    Attributes:
        groups: the principals by the conditions that they bring along: a statement for each.
        segment: whether Segment's account, or a role in it, is among the principals.
    """

    def __init__(
        self, stack: Stack, principals: Sequence[iam.IPrincipal] | None, whole_account: bool
    ) -> None:
        if principals is not None and whole_account:
            raise ValueError(
                "whole_account: it says how Segment is trusted, and principals says who is; "
                "put segment_principal(whole_account=True) among principals"
            )
        if principals is None:
            principals = [segment_principal(whole_account=whole_account)]
        self._stack = stack
        self.groups = _grouped(principals)
        # Some principals, an account for one, are tokens even where the stack knows what they stand for.
        arns = [arn for group in self.groups for arn in stack.resolve(group.arns)]
        self.segment = any(_is_segment(arn) for arn in arns)
        for arn in arns:
            own = (
                "trust your own forwarder's task role" if _is_segment(arn) else "trust one of that partition"
            )
            check_partition(stack, "principals", arn, way_out=own)

    def policy_sizes(self, *, unknown: int) -> Callable[[Sequence[str]], int]:
        """Return what tells the size of the trust policy for any External IDs; `unknown` as in policy_size.

        CDK is asked once, for all but the External IDs.
        """
        frame = {
            "Statement": [
                {
                    "Action": "sts:AssumeRole",
                    "Condition": _with_external_ids(group.statement_conditions),
                    "Effect": "Allow",
                    "Principal": {"AWS": group.arns[0] if len(group.arns) == 1 else group.arns},
                }
                for group in self.groups
            ],
            "Version": "2012-10-17",
        }
        without_ids = policy_size(self._stack, frame, unknown=unknown) - len('""') * len(self.groups)

        @cache
        def as_deployed(external_id: str) -> str:
            return external_id if _is_text(external_id) else "?" * unknown

        def size(external_ids: Sequence[str]) -> int:
            texts = list(map(as_deployed, external_ids))
            ids = json.dumps(texts[0] if len(texts) == 1 else texts, separators=(",", ":"))
            return without_ids + len(ids) * len(self.groups)

        return size


def _is_text(external_id: str) -> bool:
    return known(external_id) and not external_id.startswith("{{resolve:")


def _with_external_ids(conditions: Conditions) -> Conditions:
    return {**conditions, "StringEquals": {**conditions.get("StringEquals", {}), "sts:ExternalId": ""}}


def _grouped(principals: Sequence[iam.IPrincipal]) -> list[TrustedPrincipals]:
    """Return the principals grouped by the conditions that they bring along."""
    if not principals:
        raise ValueError("principals: an empty list would let nobody in; leave it out for Segment")
    groups: dict[str, TrustedPrincipals] = {}
    for number, principal in enumerate(principals):
        arns, conditions = _checked(f"principals[{number}]", principal)
        group = groups.setdefault(json.dumps(conditions, sort_keys=True), TrustedPrincipals([], conditions))
        group.arns += [arn for arn in arns if arn not in group.arns]
    return list(groups.values())


def _checked(prop: str, principal: iam.IPrincipal) -> tuple[Sequence[str], Conditions]:
    if isinstance(principal, iam.CompositePrincipal):
        raise ValueError(f"{prop}: a CompositePrincipal cannot be given; list its principals one by one")
    fragment = principal.grant_principal.policy_fragment
    arns, conditions = fragment.principal_json.get("AWS", ()), dict(fragment.conditions)
    if not arns or len(fragment.principal_json) > 1:
        raise ValueError(
            f"{prop}: {json.dumps(fragment.principal_json)} cannot send an External ID; "
            "give an AWS principal: a role, a user or an account"
        )
    if "*" in arns and not conditions:
        raise ValueError(
            f"{prop}: '*' would trust every AWS account; give a role, a user or an account, "
            "or a principal with conditions such as OrganizationPrincipal"
        )
    if "sts:ExternalId" in json.dumps(conditions):
        raise ValueError(
            f"{prop}: its conditions name sts:ExternalId; leave that to source_ids or secret_ids"
        )
    return arns, conditions


def _is_segment(arn: Any) -> bool:
    return f"::{SEGMENT_ACCOUNT}:" in json.dumps(arn)
