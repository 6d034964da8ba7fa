"""What ARNs and principals of IAM and STS tell."""

import re

_ACCOUNT = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")
_ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")


def account_of(principal: str) -> str | None:
    """Return the account of an ARN, or of a principal that is an account's number."""
    if _ACCOUNT.fullmatch(principal):
        return principal
    parts = principal.split(":")
    return parts[4] if len(parts) > 5 else None


def name_of(role: str) -> str:
    """Return the name of a role, without its path."""
    return role.rpartition("/")[2]


def is_session_of(arn: str, role: str) -> bool:
    """Return whether a caller's ARN is that of a session of a role."""
    found, session = _ROLE.fullmatch(role), _SESSION.fullmatch(arn)
    # A session's ARN has its role's name without the path.
    return found is not None and session is not None and found.groups() == session.groups()[1:]


def role_of_session(arn: str) -> str | None:
    """Return the ARN of the role behind a session, as if it had no path; None if it is no session."""
    session = _SESSION.fullmatch(arn)
    return session and f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}"


def covers(principal: str, arn: str) -> bool:
    """Return whether a principal of a policy covers the caller with this ARN."""
    if principal in ("*", arn):
        return True
    root = _ROOT.fullmatch(principal)
    whole_account = root[1] if root else principal if _ACCOUNT.fullmatch(principal) else None
    if whole_account is not None:
        return whole_account == account_of(arn)
    return is_session_of(arn, principal)
