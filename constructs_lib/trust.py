"""Who may assume a destination's role: the trust policy, and how long IAM lets it be."""

import json
import re
from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack, Token, region_info
from aws_cdk import aws_iam as iam

SEGMENT_ACCOUNT = "595280932656"
SEGMENT_WRITER_ARN = f"arn:aws:iam::{SEGMENT_ACCOUNT}:role/customer-kinesis-access"
"""The role that Segment's Kinesis destination writes with, from Segment's documentation."""

Fragment = dict[str, Any]


def segment_principal(*, whole_account: bool = False) -> iam.ArnPrincipal:
    """Return Segment's own writer, to be named beside other principals.

    Args:
        whole_account: any role of Segment's account, the "Account ID" form of Segment's documentation, in
            place of the one role that writes to Kinesis.
    """
    return iam.ArnPrincipal(f"arn:aws:iam::{SEGMENT_ACCOUNT}:root" if whole_account else SEGMENT_WRITER_ARN)


class TrustedPrincipals(iam.PrincipalBase):
    """AWS principals under one set of conditions, in one statement: each External ID stands there once."""

    def __init__(self, arns: Sequence[str], conditions: Fragment) -> None:
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


def trusted_principals(principals: Sequence[iam.IPrincipal]) -> list[TrustedPrincipals]:
    """Return the principals grouped by the conditions that they bring along.

    Raises:
        ValueError: there is none, or one that cannot send an External ID, or everybody.
    """
    if not principals:
        raise ValueError("principals: an empty list would let nobody in; leave it out for Segment")
    groups: dict[str, TrustedPrincipals] = {}
    for number, principal in enumerate(principals):
        arns, conditions = _checked(f"principals[{number}]", principal)
        group = groups.setdefault(json.dumps(conditions, sort_keys=True), TrustedPrincipals([], conditions))
        group.arns += [arn for arn in arns if arn not in group.arns]
    return list(groups.values())


def _checked(prop: str, principal: iam.IPrincipal) -> tuple[Sequence[str], Fragment]:
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


def trusts_segment(groups: Sequence[TrustedPrincipals]) -> bool:
    """Whether Segment's account, or a role in it, is among the principals."""
    return any(f"::{SEGMENT_ACCOUNT}:" in arn for group in groups for arn in group.arns)


def trust_policy_length(
    stack: Stack, groups: Sequence[TrustedPrincipals], external_ids: Sequence[str], *, unknown: int
) -> int:
    """Return how many characters of the quota the trust policy takes: IAM counts all but white space.

    Args:
        stack: where the role is; it knows what some tokens stand for.
        groups: who is trusted.
        external_ids: what they must send.
        unknown: how long to take each text for that only the deployment knows.
    """
    ids = external_ids[0] if len(external_ids) == 1 else list(external_ids)
    statements = []
    for group in groups:
        conditions = {operator: dict(keys) for operator, keys in group.statement_conditions.items()}
        conditions.setdefault("StringEquals", {})["sts:ExternalId"] = ids
        arns = group.arns[0] if len(group.arns) == 1 else group.arns
        statements.append(
            {
                "Action": "sts:AssumeRole",
                "Condition": conditions,
                "Effect": "Allow",
                "Principal": {"AWS": arns},
            }
        )
    document = stack.resolve({"Statement": statements, "Version": "2012-10-17"})
    return len(json.dumps(_as_deployed(document, "?" * unknown), separators=(",", ":")))


_PSEUDO_PARAMETERS = {"AWS::AccountId": "1" * 12, "AWS::Partition": "aws", "AWS::Region": "us-west-2"}


def _as_deployed(value: Any, unknown: str) -> Any:
    """Return `value` with a stand-in for all that only the deployment knows."""
    match value:
        case {"Ref": str(name), **rest} if not rest:
            return _PSEUDO_PARAMETERS.get(name, unknown)
        case {"Fn::Join": [separator, parts], **rest} if not rest:
            return separator.join(str(_as_deployed(part, unknown)) for part in parts)
        case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            return unknown
        case dict():
            return {key: _as_deployed(item, unknown) for key, item in value.items()}
        case list():
            return [_as_deployed(item, unknown) for item in value]
        case str():
            return re.sub(r"\{\{resolve:[^}]*\}\}", unknown, value)
    return value


def check_segment_can_exist(stack: Stack, groups: Sequence[TrustedPrincipals]) -> None:
    """Refuse to trust Segment where no account of AWS's commercial partition can be trusted.

    Raises:
        ValueError: Segment is among the principals and the stack's region is in another partition.
    """
    if Token.is_unresolved(stack.region) or not trusts_segment(groups):
        return
    if (partition := region_info.RegionInfo.get(stack.region).partition) not in (None, "aws"):
        raise ValueError(
            f"principals: Segment's principal cannot exist in {partition} (region {stack.region}); "
            "name a principal of that partition, such as a forwarder's task role"
        )
