"""Accepts connections, as many as are bounded, and leaves the others to the backlog."""

import asyncio
import logging
import socket
from collections.abc import Callable

from headgate.ingest.connections import Connections

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Connections that are taken before the loop goes on: other processes wait at the same socket."""
PAUSE_SECONDS = 1.0
"""After the machine has no file descriptor or memory left for another connection."""


class Acceptor:
    """Takes connections from a listening socket while there is room for them.

    asyncio's own servers accept whatever comes: at the bound they could only reset it, while another process
    at the same socket may have room.
    """

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        make_protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        self._listening = listening
        self._connections = connections
        self._make_protocol = make_protocol
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._watching = False
        self._closed = False
        listening.settimeout(0)
        connections.on_fewer = self._watch
        self._watch()

    def close(self) -> None:
        """Accept nothing more, and close the socket of this process."""
        self._closed = True
        self._unwatch()
        self._listening.close()

    def _watch(self) -> None:
        if not self._watching and not self._closed and not self._full():
            self._watching = True
            self._loop.add_reader(self._listening, self._accept)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._listening)

    def _full(self) -> bool:
        return len(self._connections) + len(self._opening) >= self._connections.limits.connections

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            if self._full():
                self._unwatch()
                return
            try:
                accepted, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as fault:
                log.error("cannot accept connections for now", extra={"reason": fault.strerror})
                self._unwatch()
                self._loop.call_later(PAUSE_SECONDS, self._watch)
                return
            accepted.settimeout(0)
            opening = self._loop.create_task(self._open(accepted))
            self._opening.add(opening)
            opening.add_done_callback(self._opened)

    def _opened(self, opening: asyncio.Task[None]) -> None:
        self._opening.discard(opening)
        self._watch()

    async def _open(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, accepted)
        except OSError:  # it is gone already
            accepted.close()
