"""What an answer of Kinesis means for the records it speaks of."""

from dataclasses import dataclass
from enum import Enum

import msgspec


class Verdict(Enum):
    """What is to be done after a request failed as a whole."""

    RETRY = "retry"
    """The service's or the network's trouble: the same again, after a backoff."""
    REFRESH = "refresh"
    """The credentials are no longer good: get new ones, then the same again."""
    PAUSE = "pause"
    """Somebody has to change something (stream, role, key): stop, say so, probe once in a while."""
    SPLIT = "split"
    """A record in it is invalid: find it by halving."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that failed as a whole."""

    verdict: Verdict
    code: str
    message: str


class Entry(msgspec.Struct, rename="pascal"):
    """One record's part of a PutRecords answer."""

    error_code: str | None = None
    shard_id: str | None = None


class PutRecordsAnswer(msgspec.Struct, rename="pascal"):
    """The members of a PutRecords answer that delivery reads."""

    records: list[Entry]


_REFRESH = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "InvalidClientTokenId",
        "IncompleteSignatureException",
    }
)
_PAUSE = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
        "KMSOptInRequired",
        "OptInRequired",
    }
)
_SPLIT = frozenset(
    {"InvalidArgumentException", "ValidationException", "SerializationException", "RequestEntityTooLarge"}
)


def judge(code: str) -> Verdict:
    """Return what an error code asks for; one that is not known is worth another try."""
    if code in _REFRESH:
        return Verdict.REFRESH
    if code in _PAUSE:
        return Verdict.PAUSE
    return Verdict.SPLIT if code in _SPLIT else Verdict.RETRY


_decode_error = msgspec.json.Decoder(dict[str, object]).decode
_decode_answer = msgspec.json.Decoder(PutRecordsAnswer).decode


def read(status: int, body: bytes, sent: int) -> list[Entry] | Fault:
    """Return an entry per record sent, in their order, or the fault of the whole request.

    Args:
        status: the answer's HTTP status.
        body: its JSON.
        sent: how many records the request carried.
    """
    try:
        if status == 200:
            entries = _decode_answer(body).records
            if len(entries) != sent:
                return Fault(Verdict.RETRY, "BadAnswer", f"{len(entries)} entries for {sent} records")
            return entries
        error = _decode_error(body)
    except msgspec.DecodeError:
        return Fault(Verdict.RETRY, f"HTTP{status}", "the answer is none of Kinesis")
    code = (
        str(error.get("__type") or error.get("code") or f"HTTP{status}").rpartition("#")[2].partition(":")[0]
    )
    message = " ".join(str(error.get("message") or error.get("Message") or "").split())
    return Fault(judge(code), code, message)
