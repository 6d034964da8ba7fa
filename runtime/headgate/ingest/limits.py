"""What a client may take of the process: bytes, connections and time."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """Bounds of HTTP in one process; those of events are `headgate.spec.prepare.Limits`. Times in seconds."""

    request_bytes: int = 512_000 + 1_024
    """A body, sent and decompressed: Segment's limit of a batch, and room for what surrounds the events."""
    head_bytes: int = 32 * 1024
    """Request line, headers and trailers of one request."""
    headers: int = 128
    """Header lines of one request."""
    waiting: int = 16
    """Pipelined requests that a connection may have waiting before it is no longer read."""
    connections: int = 2_000
    """Open connections; while so many are open, others stay in the socket's backlog."""
    held_bytes: int = 64 * 1024 * 1024
    """All bodies that are being read or wait for their turn."""
    head_seconds: float = 10
    """From the first byte of a request to the end of its headers."""
    body_seconds: float = 30
    """From the end of the headers to the end of the body."""
    unread_seconds: float = 30
    """How long a client may take nothing of the answers that are written to it."""
    idle_seconds: float = 75
    """How long a quiet connection is kept: above the 60 s of a load balancer, which must close first."""
    linger_seconds: float = 5
    """How long, after the last answer, the client has to read it and close."""
