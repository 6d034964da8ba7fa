"""What SimulatePrincipalPolicy is asked, and what its answer means.

Its answer is advice: it does not see resources' own policies, such as a KMS key's, and what its conditions
need must be given to it. What is missing makes an answer unknown, never denied.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef

Decision = Literal["allowed", "denied", "unknown"]

PUTS = ("kinesis:PutRecord", "kinesis:PutRecords")
"""The actions that delivery needs of a stream."""


def stream_arn(owner: str, region: str, stream_name: str) -> str:
    """Return the ARN of a stream that is in the account of `owner`, an ARN of IAM or STS."""
    _, partition, _, _, account, _ = owner.split(":", 5)
    return f"arn:{partition}:kinesis:{region}:{account}:stream/{stream_name}"


def simulate(
    iam: "IAMClient",
    principal: str,
    actions: Sequence[str],
    resource: str,
    region: str,
    more: Mapping[str, str] | None = None,
) -> dict[str, Mapping[str, Any]]:
    """Return the result of each action for which IAM gave one.

    Args:
        iam: a client that may ask.
        principal: the ARN of a role or a user.
        actions: what it wants to do, such as `kinesis:PutRecords`.
        resource: the ARN of what it wants to do it to.
        region: where it is asked for.
        more: context keys that this service's conditions need, with a text as the value of each.

    Raises:
        ClientError: IAM refused.
        BotoCoreError: IAM cannot be reached.
    """
    answer = iam.simulate_principal_policy(
        PolicySourceArn=principal,
        ActionNames=list(actions),
        ResourceArns=[resource],
        ContextEntries=[
            _entry("aws:SecureTransport", "true", "boolean"),
            _entry("aws:RequestedRegion", region),
            _entry("aws:PrincipalArn", principal),
            *(_entry(key, value) for key, value in (more or {}).items()),
        ],
    )
    return {each["EvalActionName"]: cast("Mapping[str, Any]", each) for each in answer["EvaluationResults"]}


def decision(result: Mapping[str, Any] | None) -> Decision:
    """Return what one result of a simulation means; None, where IAM gave none, is unknown."""
    if result is None:
        return "unknown"
    specific = _specific(result)
    if any(each.get("MissingContextValues") for each in (result, *specific)):
        return "unknown"
    decisions = {each.get("EvalResourceDecision") for each in specific}
    if decisions == {"allowed"}:
        return "allowed"
    return "denied" if decisions & {"implicitDeny", "explicitDeny"} else "unknown"


def missing_context(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the condition keys for which a simulation had no value."""
    return sorted(
        {
            key
            for one in results
            for each in (one, *_specific(one))
            for key in each.get("MissingContextValues", ())
        }
    )


def _specific(result: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return result.get("ResourceSpecificResults") or [
        {"EvalResourceDecision": result.get("EvalDecision"), **result}
    ]


def _entry(name: str, value: str, type_: Literal["string", "boolean"] = "string") -> "ContextEntryTypeDef":
    return {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": type_}
