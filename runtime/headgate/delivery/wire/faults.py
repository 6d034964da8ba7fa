"""What a request that failed as a whole means. The code decides: emulators differ in the HTTP status."""

import re
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What is to be done after a request failed as a whole."""

    RETRY = "retry"
    """The service's or the network's trouble: the same again, after a backoff."""
    THROTTLED = "throttled"
    """A limit of the stream, the key or the account: the same again, after a backoff and more slowly."""
    REFRESH = "refresh"
    """The credentials are no longer good: get new ones, then the same again."""
    PAUSE = "pause"
    """Somebody has to change something (stream, role, key): stop, say so, probe once in a while."""
    SPLIT = "split"
    """A record in it is invalid: find it by halving."""


DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
"""What AWS calls a missing permission, service by service."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that failed as a whole."""

    verdict: Verdict
    code: str
    message: str
    """One line for the log; it holds no content of an event."""
    sent: bool = True
    """False when the request surely never reached Kinesis; otherwise records of it may have been accepted."""

    @property
    def denied(self) -> bool:
        """Whether the credentials lack the permission for the action, and not for the stream's KMS key."""
        return self.code in DENIED


def _verdicts(verdict: Verdict, codes: str) -> dict[str, Verdict]:
    return dict.fromkeys(codes.split(), verdict)


# The PutRecords and PutRecord pages of the Kinesis API reference, with its common errors; the rest is what
# other AWS services and the emulators say for the same.
_VERDICT_OF = (
    dict.fromkeys(DENIED, Verdict.PAUSE)
    | _verdicts(
        Verdict.PAUSE,
        "ResourceNotFoundException KMSAccessDeniedException KMSDisabledException KMSInvalidStateException"
        " KMSNotFoundException KMSOptInRequired OptInRequired SubscriptionRequiredException",
    )
    | _verdicts(
        Verdict.REFRESH,
        "ExpiredToken ExpiredTokenException RequestExpired UnrecognizedClientException InvalidClientTokenId"
        " InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException"
        " MissingAuthenticationToken MissingAuthenticationTokenException",
    )
    | _verdicts(
        Verdict.THROTTLED,
        "ProvisionedThroughputExceededException LimitExceededException KMSThrottlingException Throttling"
        " ThrottlingException ThrottledException RequestLimitExceeded TooManyRequestsException",
    )
    | _verdicts(
        Verdict.SPLIT,
        "InvalidArgumentException ValidationException ValidationError SerializationException"
        " RequestEntityTooLarge RequestEntityTooLargeException",
    )
)
_LONGEST_MESSAGE = 300
_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)


def judge(code: str) -> Verdict:
    """Return what an error code asks for; one that is not known is worth another try."""
    return _VERDICT_OF.get(code, Verdict.RETRY)


def fault_of(code: str, said: str) -> Fault:
    """Return the fault of an error that Kinesis named.

    Args:
        code: the error's code, without its namespace.
        said: the error's own text. That of a throttle names the account, and that of an invalid record may
            quote the record, so neither is passed on whole.
    """
    verdict = judge(code)
    if verdict is Verdict.THROTTLED:
        said = "a limit of the stream, of its key or of the account is reached"
    elif verdict is Verdict.SPLIT:
        said = _QUOTED.sub("'...'", said)
    return Fault(verdict, code, " ".join(said.split())[:_LONGEST_MESSAGE])
