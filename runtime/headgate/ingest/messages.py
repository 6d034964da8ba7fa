"""A request as the protocol hands it on, and the answer it writes."""

from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.delivery.submission import Refusal
from headgate.spec.prepare import Rejection

REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    405: b"Method Not Allowed",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its body whole and decompressed."""

    method: str
    path: str
    authorization: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: always a JSON object."""

    status: int
    body: bytes
    retry_after: int | None = None
    close: bool = False


SUCCESS = Answer(200, b'{"success": true}')


def error(
    status: int, code: str, message: str, *, retry_after: int | None = None, close: bool = False
) -> Answer:
    """Return an error as Segment's SDKs read it: `code` stands at the top level."""
    body = msgspec.json.encode({"success": False, "code": code, "message": message})
    return Answer(status, body, retry_after, close)


def unavailable(refusal: Refusal) -> Answer:
    """Return the answer to a request of which nothing is acknowledged, and which is worth sending again."""
    status = 429 if refusal.code.endswith("_full") else 503
    return error(
        status, refusal.code, refusal.message, retry_after=min(max(refusal.retry_after or 5, 1), 300)
    )


def partly(events: int, rejected: dict[int, Rejection]) -> Answer:
    """Return the answer to a request some or all of whose events were rejected; the others are durable."""
    named: list[dict[str, Any]] = [
        {"index": index, "code": why.code, "message": why.message} for index, why in sorted(rejected.items())
    ]
    if len(named) < events:
        return Answer(200, msgspec.json.encode({"success": True, "rejected": named}))
    first = named[0]
    return Answer(
        400,
        msgspec.json.encode(
            {"success": False, "code": first["code"], "message": first["message"], "rejected": named}
        ),
    )
