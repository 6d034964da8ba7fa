"""All connections of a process: what they hold together, and which of them make no progress."""

from typing import TYPE_CHECKING, Protocol

from headgate.ingest.limits import HttpLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Connection(Protocol):
    """What is known of a connection here."""

    def check(self, now: float) -> None:
        """Close it when it makes no progress."""

    def close(self) -> None:
        """Close it once nothing of it is under way."""


class Connections:
    """The open connections, the time, and the bytes of all bodies that are not handed on yet."""

    def __init__(self, limits: HttpLimits | None = None, *, now: float = 0.0) -> None:
        self.limits = limits or HttpLimits()
        self.now = now
        """A clock that only goes forward, about a second coarse: looking at it costs nothing."""
        self.draining = False
        """Whether each of them ends with its next answer."""
        self.held_bytes = 0
        self._open: set[Connection] = set()
        self.on_fewer: Callable[[], None] = lambda: None
        """Called when a connection has ended."""

    def __iter__(self) -> "Iterator[Connection]":
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Count a connection that was opened."""
        self._open.add(connection)

    def discard(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._open.discard(connection)
        self.on_fewer()

    def check(self, now: float) -> None:
        """Set the time, and close every connection that makes no progress; call it about once a second."""
        self.now = now
        for connection in self:
            connection.check(now)

    def close(self) -> None:
        """Close every connection; an answer under way is still written."""
        for connection in self:
            connection.close()
