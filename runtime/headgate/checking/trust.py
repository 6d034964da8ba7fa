"""What a role's trust policy says of External IDs: who gets in, and under which.

It is judged as IAM does, as far as a caller's ARN and an External ID decide. A statement that hangs on more
than those is unclear, and so is what is not understood here: an attempt to assume the role has to tell.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from headgate.checking.arns import account_of, covers
from headgate.checking.policies import Lets, Policy, Statement, is_about, listed, principals, statements

_ACTION = "sts:AssumeRole"
_KEY = "sts:externalid"
_DELETED = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_ANY_ID = "headgate-check-an-external-id-that-nobody-was-given"


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody who needs no External ID of their own."""

    who: str
    """A principal; `*` is everybody."""
    statement: str
    """The Sid or the number of the statement."""
    any_id: bool
    """Whether some External ID must be sent, though it may be any."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a trust policy was found to say."""

    openings: tuple[Opening, ...]
    clear: bool
    """False where the caller's case hangs on what cannot be read."""


def read(policy: Policy, caller: str, role: str) -> Reading:
    """Return who is let in without an External ID, or under any.

    Args:
        policy: the trust policy.
        caller: the ARN of whoever assumes the role.
        role: the role's ARN. Principals of its own account, but for the caller, are that account's affair.
    """
    openings = []
    for who in _suspects(policy, caller, account_of(role)):
        for sent in (None, _ANY_ID):
            if lets_in(policy, who, sent) is Lets.YES:
                openings.append(Opening(who, _statement_of(policy, who, sent), any_id=sent is not None))
                break
    cases = (lets_in(policy, caller, None), lets_in(policy, caller, _ANY_ID))
    return Reading(tuple(openings), clear=Lets.UNCLEAR not in cases)


def lets_in(policy: Policy, arn: str, external_id: str | None) -> Lets:
    """Return whether a trust policy lets `arn` assume the role with an External ID, or with none."""
    found = {
        effect: {_lets(each, arn, external_id) for each in statements(policy, effect)}
        for effect in ("Allow", "Deny")
    }
    if Lets.YES in found["Deny"] or found["Allow"] <= {Lets.NO}:
        return Lets.NO
    return Lets.UNCLEAR if Lets.UNCLEAR in found["Deny"] or Lets.YES not in found["Allow"] else Lets.YES


def names(policy: Policy, arn: str) -> bool:
    """Return whether a statement that allows sts:AssumeRole names `arn`, whatever its conditions."""
    return any(is_about(each, _ACTION, arn) for each in statements(policy, "Allow"))


def deleted(policy: Policy) -> list[str]:
    """Return the principals that are IDs: those of roles and users that were deleted since."""
    return [who for each in statements(policy) for who in principals(each) if _DELETED.fullmatch(who)]


def _suspects(policy: Policy, caller: str, owner: str | None) -> list[str]:
    """Return the caller, everybody, and whoever else is named of other accounts."""
    named = [who for each in statements(policy, "Allow") for who in principals(each)]
    foreign = [who for who in named if who == "*" or account_of(who) not in (None, owner)]
    others = [who for who in dict.fromkeys(foreign) if not covers(who, caller)]
    return (["*"] if "*" in foreign else []) + [caller, *others]


def _statement_of(policy: Policy, arn: str, external_id: str | None) -> str:
    for number, each in enumerate(statements(policy), start=1):
        if each.get("Effect") == "Allow" and _lets(each, arn, external_id) is Lets.YES:
            return repr(each["Sid"]) if each.get("Sid") else str(number)
    raise AssertionError("a policy that lets somebody in has a statement that does")


def _lets(statement: Statement, arn: str, external_id: str | None) -> Lets:
    """Return whether a statement applies to `arn` with an External ID, or with none."""
    if not is_about(statement, _ACTION, arn):
        return Lets.NO
    verdict = Lets.YES
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, values in keys.items():
            holds = _holds(operator, listed(values), external_id) if key.lower() == _KEY else None
            if holds is False:
                return Lets.NO
            if holds is None:
                verdict = Lets.UNCLEAR
    return verdict


def _holds(operator: str, values: Iterable[str], external_id: str | None) -> bool | None:
    """Return whether a condition on sts:ExternalId holds; None where that is not understood."""
    quantifier, _, plain = operator.rpartition(":")
    if_exists = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    if plain == "Null":
        return any(str(value).lower() == ("true" if external_id is None else "false") for value in values)
    test = _TESTS.get(plain.removeprefix("StringNot").removeprefix("String"))
    if not plain.startswith("String") or test is None or any("${" in value for value in values):
        return None
    negative = plain.startswith("StringNot")
    if external_id is None:
        if quantifier == "ForAnyValue":
            return None if if_exists else False  # what the two mean together is not documented
        return if_exists or quantifier == "ForAllValues" or negative
    return any(test(external_id, value) for value in values) is not negative


def _like(external_id: str, pattern: str) -> bool:
    # Only * and ? mean something to IAM; fnmatch knows brackets too.
    return fnmatchcase(external_id, pattern.replace("[", "[[]"))


_TESTS = {
    "Equals": str.__eq__,
    "EqualsIgnoreCase": lambda sent, value: sent.casefold() == value.casefold(),
    "Like": _like,
}
