"""A request as the reader hands it on."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from headgate.ingest.answers import Answer

KEPT = frozenset(
    {
        b"access-control-request-headers",
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"expect",
        b"origin",
        b"transfer-encoding",
        b"x-forwarded-for",
    }
)
"""The headers that somebody asks for; no others are kept."""


class Request(msgspec.Struct, eq=False):
    """One HTTP request, its body whole and as it was sent; it is filled while it is read."""

    peer: str
    """The address at the other end of the connection."""
    method: bytes = b""
    target: bytes = b""
    """The request target: path and query."""
    headers: dict[bytes, bytes] = {}
    """By name in lower case, where `KEPT` has it; several of one name are joined with commas."""
    body: bytes = b""
    fault: "Answer | None" = None
    """Set where the request cannot be read, or not to its end: what is wrong with it."""
    keep_alive: bool = False
    held: int = 0
    """The bytes of its body that count as held."""
    connection: bytes = b""
    """Header lines about the connection that its answer has to have."""
    cors: bytes = b""
    """Header lines that let the page which sent it read its answer."""
