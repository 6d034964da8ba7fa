"""One HTTP connection on asyncio: requests are handed on one at a time, answers leave in their order."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from headgate.ingest.answers import Answer, error
from headgate.ingest.clients import peer_address
from headgate.ingest.connections import Connections
from headgate.ingest.reader import RequestReader
from headgate.ingest.requests import Request

Respond = Callable[[Answer], None]
Handler = Callable[[Request, Respond], None]


class HttpProtocol(asyncio.Protocol):
    """One connection. The handler is called with one request at a time and answers once, now or later."""

    def __init__(self, handler: Handler, connections: Connections) -> None:
        self._handler = handler
        self._connections = connections
        self._respond = self._answered  # bound once: it goes with every request
        self._reader: RequestReader
        self._transport: asyncio.Transport | None = None
        self._current: Request | None = None
        self._waiting: deque[Request] = deque()
        self._handing_on = False
        self._reading_paused = False
        self._writing_paused = False
        self._continue_due = False
        self._half_closed = False
        self._last_answered = False
        self._quiet_since = 0.0
        self._unsent = 0
        self._unsent_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio calls this."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its base
        peer = peer_address(transport.get_extra_info("peername"))
        self._reader = RequestReader(self._connections, peer, self._take, self._continue)
        self._quiet_since = self._connections.now
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End; asyncio calls this. What is being delivered goes on, and nobody is told."""
        self._transport = None
        self._reader.forget()
        for request in self._waiting:
            self._connections.held_bytes -= request.held
        self._waiting.clear()
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read what came; asyncio calls this."""
        self._reader.feed(data)

    def eof_received(self) -> bool:
        """Keep open what the client has only half closed, until it has its answers; asyncio calls this."""
        self._half_closed = True
        self._reader.forget()
        return self._current is not None or bool(self._waiting)

    def pause_writing(self) -> None:
        """Wait with further requests: the client does not read its answers; asyncio calls this."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Go on; asyncio calls this."""
        self._writing_paused = False
        self._next()

    def close(self) -> None:
        """Close the connection, now where nothing is under way, and else after the answer."""
        if self._current is None and self._transport is not None:
            self._transport.close()

    def check(self, now: float) -> None:
        """Close the connection where it makes no progress.

        Args:
            now: the time of the connections' clock.
        """
        transport, limits = self._transport, self._connections.limits
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        if self._last_answered:
            if now - self._quiet_since > limits.linger_seconds:
                transport.close()
        elif self._reader.reading and not self._reading_paused:
            allowed = limits.body_seconds if self._reader.in_body else limits.head_seconds
            if now - self._reader.since > allowed:
                self._reader.refuse(
                    error(
                        408, "timeout", f"the request is not complete after {allowed:g} seconds; send again"
                    )
                )
        elif self._current is None and not self._waiting and now - self._quiet_since > limits.idle_seconds:
            transport.close()
        if unsent and now - self._unsent_since > limits.unread_seconds:
            transport.abort()

    def _take(self, request: Request) -> None:
        if self._current is None and not self._waiting and not self._writing_paused:
            self._hand_on(request)
            return
        self._waiting.append(request)
        if len(self._waiting) >= self._connections.limits.waiting and not self._reading_paused:
            self._reading_paused = True
            if self._transport is not None:
                self._transport.pause_reading()

    def _hand_on(self, request: Request) -> None:
        self._current = request
        self._handler(request, self._respond)
        # Whoever needs the events further has them; delivery bounds what it holds by itself.
        self._connections.held_bytes -= request.held
        request.body = b""

    def _next(self) -> None:
        # An answer given at once comes back here from inside the handler: the loop below goes on with it.
        if self._handing_on:
            return
        self._handing_on = True
        try:
            while self._waiting and self._current is None and not self._writing_paused:
                self._hand_on(self._waiting.popleft())
        finally:
            self._handing_on = False
        if self._reading_paused and len(self._waiting) < self._connections.limits.waiting:
            self._resume_reading()
        if self._continue_due and self._current is None and not self._waiting:
            self._continue()

    def _answered(self, answer: Answer) -> None:
        request = self._current
        if request is None:
            return
        self._current = None
        connections, transport = self._connections, self._transport
        self._quiet_since = connections.now
        if transport is None:
            return
        keep_alive = request.keep_alive and not connections.draining
        if keep_alive and not request.cors and not request.connection and request.method != b"HEAD":
            transport.write(answer.whole)
        else:
            connection = request.connection if keep_alive else b"Connection: close\r\n"
            body = b"" if request.method == b"HEAD" else answer.body
            transport.write(b"%b%b%b\r\n%b" % (answer.head, request.cors, connection, body))
        if not keep_alive:
            self._end(transport)
        elif self._waiting or self._continue_due:
            self._next()
        elif self._half_closed:
            transport.close()

    def _end(self, transport: asyncio.Transport) -> None:
        """Say that this was the last answer, and leave the client the time to read it.

        Closing while the client still sends would reset the connection, and the answer might be lost on its
        way: a client that learns nothing sends the same again. So what comes is read, and dropped.
        """
        self._last_answered = True
        self._reader.forget()
        for request in self._waiting:
            self._connections.held_bytes -= request.held
        self._waiting.clear()
        if self._half_closed:
            transport.close()
            return
        transport.write_eof()
        if self._reading_paused:
            self._resume_reading()

    def _continue(self) -> None:
        """Tell the client to send its body, once the answers before have left."""
        self._continue_due = self._current is not None or bool(self._waiting)
        if not self._continue_due and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _resume_reading(self) -> None:
        self._reading_paused = False
        self._reader.since = self._connections.now  # the wait was not the client's
        if self._transport is not None:
            self._transport.resume_reading()
