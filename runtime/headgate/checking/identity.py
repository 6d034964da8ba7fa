"""What STS and IAM said: who asks, whether the role lets them in, and whom else it lets in."""

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.checking import trust
from headgate.checking.answers import NO_SUCH_ROLE, Refused
from headgate.checking.arns import is_session_of
from headgate.checking.outcomes import Outcome, failed, ok, unknown
from headgate.checking.policies import Lets, Policy

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}
_SIGNATURE = {"SignatureDoesNotMatch", "InvalidSignatureException"}
_CLOCK = ("signature expired", "signature not yet current")
_REACH = (
    "let HTTPS out to it, or make the VPC endpoint com.amazonaws.{region}.{service}; proxies, CA bundles and "
    "AWS_ENDPOINT_URL work as in every AWS tool"
)


def unreachable(refused: Refused, service: str, region: str) -> Outcome:
    """Return the outcome of a call that never reached AWS."""
    name = {"sts": "STS", "kinesis-streams": "Kinesis"}[service]
    return failed(
        f"no answer from {name} in {region}: {refused.message}", _REACH.format(region=region, service=service)
    )


def bad_credentials(refused: Refused) -> Outcome | None:
    """Return what is wrong with the credentials that a call was made with; None if nothing is."""
    code, said = refused.code, refused.message.lower()
    if code == "NoCredentials":
        return failed(
            "there are no AWS credentials",
            "give the task a role, log in, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if any(each in said for each in _CLOCK):
        return failed(f"this machine's clock is wrong: {refused.message}", "set the clock")
    if code in _EXPIRED:
        return failed("the AWS credentials have expired", "log in again, or get new ones")
    if code in _UNKNOWN_KEY:
        return failed(
            f"AWS does not know the access key that it was sent, or its session token ({code})",
            "correct AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the profile; "
            "of a region that the account has not enabled AWS says the same",
        )
    if code in _SIGNATURE:
        return failed(
            f"the secret access key is not that of the access key ({code})",
            "correct AWS_SECRET_ACCESS_KEY, or the profile",
        )
    return None


def caller(answer: str | Refused, region: str, *, needs_sts: bool) -> Outcome:
    """Return who asks.

    Args:
        answer: the ARN that GetCallerIdentity told.
        region: where it was asked.
        needs_sts: whether delivery needs STS at all; without a role it does not.
    """
    if isinstance(answer, str):
        return ok(answer)
    if (wrong := bad_credentials(answer)) is not None:
        return wrong
    if answer.answered or not needs_sts:
        return unknown(f"STS in {region} does not tell who asks: {answer.text}")
    return unreachable(answer, "sts", region)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An AssumeRole that was refused, and all that could be learnt about it."""

    role: str
    region: str
    external_id: str
    """What was sent. It is compared, and never shown."""
    sent: str
    """What the External ID is, in words."""
    is_secret: bool
    """Whether it is a Secret ID; else the source ID."""
    caller: str | None = None
    source_id_lets_in: bool = False
    """Whether the role let in with the source ID in the Secret ID's place."""
    policy: Policy | Refused | None = None
    """The trust policy, or why it could not be read; None where nobody was asked."""

    @property
    def who(self) -> str:
        """The caller, in words."""
        return self.caller or "the caller"


def role_refused(attempt: Attempt, refused: Refused) -> Outcome:
    """Return what is wrong where AssumeRole was refused."""
    if not refused.answered and refused.code != "NoCredentials":
        return unreachable(refused, "sts", attempt.region)
    if (wrong := bad_credentials(refused)) is not None:
        return wrong
    if refused.code == "RegionDisabledException":
        return failed(
            f"STS is not enabled in {attempt.region} for the role's account",
            "enable the region in that account, or deliver to a region that is",
        )
    if not refused.denied:
        return failed(
            f"AssumeRole of {attempt.role}: {refused.text}",
            "correct role_address and the External ID, or try again",
        )
    return _told(attempt, refused) or _by_policy(attempt) or _one_of_three(attempt)


def _told(attempt: Attempt, refused: Refused) -> Outcome | None:
    """Return what AWS's own words, or another attempt, tell for certain."""
    role, who = attempt.role, attempt.who
    if attempt.source_id_lets_in:
        return failed(
            f"{role} expects the source ID as its External ID, and was sent the Secret ID (secret_id)",
            "take secret_id out of the settings, or put the Secret ID into the role's trust policy",
        )
    if who.endswith(":root"):
        return failed(f"{who} is a root user, and a root user cannot assume a role", "use a user or a role")
    if refused.explicit:
        return failed(
            f"{who} is denied sts:AssumeRole on {role}: {refused.because}",
            "take the caller or the role out of that Deny",
        )
    if refused.reason is not None and refused.reason != "resource-based policy":
        return failed(
            f"{who} is not allowed sts:AssumeRole: {refused.because}",
            f"allow the caller sts:AssumeRole on {role}, or correct role_address",
        )
    if attempt.caller is not None and is_session_of(attempt.caller, role):
        return failed(
            f"the caller is a session of {role} itself, which does not let itself in",
            "run it with the forwarder's own credentials, or leave role_address out",
        )
    return None


def _by_policy(attempt: Attempt) -> Outcome | None:
    """Return what the trust policy tells, where it could be read."""
    role, who, policy = attempt.role, attempt.who, attempt.policy
    if isinstance(policy, Refused) and policy.code == NO_SUCH_ROLE:
        return failed(f"there is no role {role}", "correct role_address, or make the role")
    if not isinstance(policy, Mapping) or attempt.caller is None:
        return None
    if not trust.names(policy, attempt.caller):
        if gone := trust.deleted(policy):
            return failed(
                f"the trust policy of {role} names {gone[0]}, which was deleted, and not {who}",
                "put the caller's ARN into the trust policy again: IAM had kept the ID of what it named",
            )
        return failed(
            f"the trust policy of {role} does not name {who}",
            "add the caller, or its role, as a Principal of it",
        )
    if trust.lets_in(policy, attempt.caller, attempt.external_id) is Lets.NO:
        return failed(
            f"the trust policy of {role} names {who}, but expects another External ID than {attempt.sent}",
            _hint(attempt),
        )
    return failed(
        f"the trust policy of {role} lets in {who} under this External ID, so something else denies",
        "look at the caller's own policies, its permissions boundary, SCPs, and the other conditions of the "
        "trust policy",
    )


def _one_of_three(attempt: Attempt) -> Outcome:
    tried = ", and so is the source ID in its place" if attempt.is_secret else ""
    return failed(
        f"AssumeRole of {attempt.role} by {attempt.who} is denied{tried}; STS does not say which it is: no "
        f"such role, a trust policy without the caller, or another External ID than {attempt.sent}",
        f"compare the role's name, and Principal and sts:ExternalId of its trust policy; {_hint(attempt)}",
    )


def _hint(attempt: Attempt) -> str:
    if attempt.is_secret:
        return "if it expects the source ID, take secret_id out; if another Secret ID, correct secret_id"
    return "if it expects a Secret ID, such as Segment's workspace ID, give it as secret_id"


def trust_read(reading: trust.Reading, role: str) -> Outcome:
    """Return what a trust policy means that was read, where it is clear."""
    if not reading.openings:
        return ok("its trust policy asks for an External ID (read with iam:GetRole)")
    first = reading.openings[0]
    who = "everybody" if first.who == "*" else first.who
    how = "under any External ID" if first.any_id else "without an External ID"
    return failed(f"statement {first.statement} of the trust policy of {role} lets in {who} {how}", _CLOSE)


def trust_tested(role: str, without: bool | None, at_random: bool | None) -> Outcome:
    """Return what attempts to assume a role mean, after the right External ID let the same caller in.

    Args:
        role: the role's ARN.
        without: whether it let in without an External ID; None where STS did not say.
        at_random: the same with one that nobody was given.
    """
    if without or at_random:
        how = "without an External ID" if without else "under any External ID"
        return failed(f"{role} lets its caller in {how}", _CLOSE)
    if without is None or at_random is None:
        return unknown("STS did not answer whether it lets in under other External IDs", "run it again")
    return ok("it refuses its caller without an External ID, and under another one (tried)")


_CLOSE = (
    'add "Condition": {"StringEquals": {"sts:ExternalId": ...}} with your External ID there; until then '
    "whoever can have that principal write for them can reach your stream (the confused deputy)"
)
