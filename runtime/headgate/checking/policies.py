"""Statements of policies that belong to a resource: a role's trust policy, a key's policy."""

from collections.abc import Mapping
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from headgate.checking.arns import covers

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]


class Lets(Enum):
    """Whether a policy, or a statement of it, lets somebody do something."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def statements(policy: Policy, effect: str | None = None) -> list[Statement]:
    """Return a policy's statements, all or those that `Allow` or `Deny`; one may stand without a list."""
    every = [each for each in listed(policy.get("Statement")) if isinstance(each, Mapping)]
    return [each for each in every if effect in (None, each.get("Effect"))]


def is_about(statement: Statement, action: str, arn: str) -> bool:
    """Return whether a statement is about an action by the principal with this ARN."""
    wanted, either = action.lower(), "Action" if "Action" in statement else "NotAction"
    named = any(fnmatchcase(wanted, each.lower()) for each in listed(statement.get(either)))
    if named is not (either == "Action"):
        return False
    if "NotPrincipal" in statement:
        return not any(covers(each, arn) for each in _aws(statement["NotPrincipal"]))
    return any(covers(each, arn) for each in principals(statement))


def principals(statement: Statement) -> list[str]:
    """Return the principals of AWS accounts that a statement is about; `*` is everybody."""
    return ["*"] if "NotPrincipal" in statement else _aws(statement.get("Principal"))


def key_lets(policy: Policy, action: str, arn: str) -> Lets:
    """Return whether a key's policy lets a role or user by itself, whatever their own policies say.

    That it names their account only hands the question on to those policies.
    """
    named = [
        each
        for each in statements(policy, "Allow")
        if is_about(each, action, arn) and not {arn, "*"}.isdisjoint(principals(each))
    ]
    if not named:
        return Lets.NO
    denied = any(is_about(each, action, arn) for each in statements(policy, "Deny"))
    return Lets.UNCLEAR if denied or all(each.get("Condition") for each in named) else Lets.YES


def listed(value: Any) -> list[Any]:
    """Return what may stand alone or in a list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _aws(principal: Any) -> list[str]:
    return ["*"] if principal == "*" else listed((principal or {}).get("AWS"))
