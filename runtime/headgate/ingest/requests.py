"""A request as the reader hands it on."""

from typing import TYPE_CHECKING

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


class Request:
    """One HTTP request, its body whole and as it was sent.

    Made for every request, and filled while it is read: hence no dataclass.
    """

    __slots__ = (
        "body",
        "connection",
        "cors",
        "fault",
        "headers",
        "held",
        "keep_alive",
        "method",
        "peer",
        "target",
    )

    def __init__(self, peer: str) -> None:
        self.method = b""
        self.target = b""
        """The request target: path and query."""
        self.headers: dict[bytes, bytes] = {}
        """By name in lower case, where `KEPT` has it; several of one name are joined with commas."""
        self.body = b""
        self.peer = peer
        """The address at the other end of the connection."""
        self.fault: Answer | None = None
        """Set where the request cannot be read, or not to its end: what is wrong with it."""
        self.keep_alive = False
        self.held = 0
        """The bytes of its body that count as held."""
        self.connection = b""
        """Header lines about the connection that its answer has to have."""
        self.cors = b""
        """Header lines that let the page which sent it read its answer."""
