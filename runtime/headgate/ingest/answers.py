"""What goes back: always a JSON object, but for the pixel's image."""

from typing import Any

import msgspec

from headgate.delivery.submission import Refusal
from headgate.spec.prepare import Rejection

REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}
"""Every status there is. SDKs drop events on 501, 505, 511 and most of 4xx: so none for what may pass."""

MAX_RETRY_AFTER = 300
"""Seconds; the SDKs wait no longer, whatever they are told."""


class Answer:
    """A status, headers and a body, rendered once: most answers are constants."""

    __slots__ = ("body", "head", "status", "whole")

    def __init__(
        self, status: int, body: bytes, headers: bytes = b"", *, content_type: bytes = b"application/json"
    ) -> None:
        self.status = status
        self.body = body
        self.head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b" % (
            status,
            REASONS[status],
            content_type,
            len(body),
            headers,
        )
        """Without the empty line that ends it: a connection has lines of its own to add."""
        self.whole = self.head + b"\r\n" + body


SUCCESS = Answer(200, b'{"success": true}')


def error(
    status: int, code: str, message: str, *, retry_after: int | None = None, headers: bytes = b""
) -> Answer:
    """Return an error as Segment's SDKs read it: `code` stands at the top level."""
    if retry_after is not None:
        headers += b"Retry-After: %d\r\n" % min(max(retry_after, 1), MAX_RETRY_AFTER)
    return Answer(status, msgspec.json.encode({"success": False, "code": code, "message": message}), headers)


def method_not_allowed(allowed: bytes) -> Answer:
    """Return the answer to a method that is not `allowed` here."""
    message = f"the method is none that is served here; allowed: {allowed.decode()}"
    return error(405, "method_not_allowed", message, headers=b"Allow: %b\r\n" % allowed)


def unavailable(refusal: Refusal) -> Answer:
    """Return the answer to a request of which nothing is acknowledged, and which is worth sending again."""
    status = 429 if refusal.code.endswith("_full") else 503
    return error(status, refusal.code, refusal.message, retry_after=refusal.retry_after or 5)


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
