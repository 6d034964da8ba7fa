"""A request as the reader hands it on."""

from collections.abc import Sequence
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
MAX_SPELLINGS, LONGEST_SPELLING = 1024, 64
"""How many names are remembered as clients write them, and of how many bytes: there are few."""


class Request(msgspec.Struct, eq=False):
    """One HTTP request, its body whole and as it was sent."""

    peer: str
    """The address at the other end of the connection."""
    method: bytes = b""
    target: bytes = b""
    """The request target: path and query."""
    headers: dict[bytes, bytes] = {}
    """By name in lower case, where `KEPT` has it; several of one name are joined with commas."""
    keep_alive: bool = False
    body: bytes = b""
    fault: "Answer | None" = None
    """Set where the request cannot be read, or not to its end: what is wrong with it."""
    held: int = 0
    """The bytes of its body that count as held."""
    connection: bytes = b""
    """Header lines about the connection that its answer has to have."""
    cors: bytes = b""
    """Header lines that let the page which sent it read its answer."""


class _KeptAs(dict[bytes, bytes | None]):
    """Under which name a header is kept, by its name as it was spelled; None for those that are not kept."""

    def __missing__(self, spelling: bytes) -> bytes | None:
        name = spelling.lower()
        kept_as = name if name in KEPT else None
        if len(self) < MAX_SPELLINGS and len(spelling) <= LONGEST_SPELLING:
            self[spelling] = kept_as
        return kept_as


_kept_as = _KeptAs()


def kept(lines: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the headers of a request that are kept.

    Args:
        lines: every header's name, and its value after it.
    """
    headers: dict[bytes, bytes] = {}
    each = iter(lines)
    for spelling, value in zip(each, each, strict=True):
        name = _kept_as[spelling]
        if name is not None:
            headers[name] = headers[name] + b"," + value if name in headers else value
    return headers
