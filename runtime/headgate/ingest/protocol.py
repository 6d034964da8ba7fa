"""HTTP/1.1 on an asyncio connection: httptools parses, answers leave in the order of their requests."""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

import httptools

from headgate.ingest.messages import REASONS, Answer, Request, error

Respond = Callable[[Answer], None]
Handler = Callable[[Request, Respond], None]

MAX_BODY_BYTES = 512_000 + 1_024
"""A batch's limit in Segment's HTTP API and room for what surrounds the events, decompressed."""
MAX_HEADER_BYTES = 32 * 1024
MAX_WAITING_REQUESTS = 16
"""Pipelined requests that a connection may have waiting before it is no longer read."""


class HttpProtocol(asyncio.Protocol):
    """One connection. The handler is called with one request at a time and answers once, now or later."""

    def __init__(
        self, handler: Handler, connections: "set[HttpProtocol]", draining: Callable[[], bool]
    ) -> None:
        self._handler = handler
        self._connections = connections
        self._draining = draining
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request | Answer, bool]] = deque()
        self._answering = False
        self._handing_on = False
        self._closing = False
        self.last_active = 0.0
        self._begin()

    # What is read of the request under way; `_begin` sets all of it.
    _url: bytes
    _head_bytes: int
    _authorization: str | None
    _encoding: bytes | None
    _inflate: "zlib._Decompress | None"
    _body: list[bytes]
    _body_bytes: int
    _fault: Answer | None

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return not self._answering

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio calls this."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its base
        self._connections.add(self)
        self.last_active = asyncio.get_running_loop().time()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End; asyncio calls this."""
        self._connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Parse what came; asyncio calls this."""
        self.last_active = asyncio.get_running_loop().time()
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(error(400, "bad_request", "this server upgrades to no other protocol", close=True))
        except httptools.HttpParserError as fault:
            if not self._closing:
                self._refuse(error(400, "bad_request", f"the request is not HTTP/1.1: {fault}", close=True))
        self._next()

    def close(self) -> None:
        """Close the connection; an answer under way is still written."""
        if self._transport is not None:
            self._transport.close()

    # httptools' callbacks

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        self._url += url
        self._bound_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._bound_head(len(name) + len(value))
        lowered = name.lower()
        if lowered == b"authorization":
            self._authorization = value.decode("latin-1")
        elif lowered == b"content-encoding" and value.lower().strip() not in (b"", b"identity"):
            self._encoding = value.lower().strip()
        elif lowered == b"expect" and value.lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body, decompressed where it is gzip."""
        if self._fault is not None or self._closing:
            return
        if self._inflate is not None:
            try:
                data = self._inflate.decompress(data, MAX_BODY_BYTES + 1 - self._body_bytes)
            except zlib.error as fault:
                self._fault = error(400, "bad_request", f"the body is not gzip: {fault}")
                return
        self._body_bytes += len(data)
        if self._body_bytes > MAX_BODY_BYTES:
            # What is left of the body is not worth reading.
            self._refuse(
                error(413, "too_large", f"the body is larger than {MAX_BODY_BYTES:,} bytes", close=True)
            )
            return
        self._body.append(data)

    def on_headers_complete(self) -> None:
        """Prepare for the body that the headers announce."""
        if self._encoding in (b"gzip", b"x-gzip"):
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif self._encoding is not None:
            self._fault = error(400, "bad_request", "Content-Encoding is none we know; allowed: gzip")

    def on_message_complete(self) -> None:
        """Queue the request that is whole now."""
        keep_alive = self._parser.should_keep_alive()
        if self._fault is None and self._inflate is not None and not self._inflate.eof:
            self._fault = error(400, "bad_request", "the gzip body ends too early")
        if self._closing:
            return
        method = self._parser.get_method().decode("latin-1")
        path = self._url.partition(b"?")[0].decode("latin-1")
        request = self._fault or Request(method, path, self._authorization, b"".join(self._body))
        self._waiting.append((request, keep_alive))
        if len(self._waiting) >= MAX_WAITING_REQUESTS and self._transport is not None:
            self._transport.pause_reading()
        self._begin()

    def _begin(self) -> None:
        """Forget the last request and wait for the next."""
        self._url = b""
        self._head_bytes = 0
        self._authorization = None
        self._encoding = None
        self._inflate = None
        self._body = []
        self._body_bytes = 0
        self._fault = None

    def _bound_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > MAX_HEADER_BYTES:
            self._refuse(
                error(
                    431,
                    "too_large",
                    f"path and headers are longer than {MAX_HEADER_BYTES:,} bytes",
                    close=True,
                )
            )

    def _refuse(self, answer: Answer) -> None:
        """Answer, after all that came before, what cannot be read to its end; then close."""
        if not self._closing:
            self._closing = True
            self._waiting.append((answer, False))

    def _next(self) -> None:
        # An answer given at once comes back here from inside the handler: the loop below goes on with it.
        if self._handing_on:
            return
        self._handing_on = True
        try:
            while self._waiting and not self._answering and self._transport is not None:
                request, keep_alive = self._waiting.popleft()
                self._answering = True
                if isinstance(request, Answer):
                    self._write(request, keep_alive)
                else:
                    self._handler(request, partial(self._answered, keep_alive))
        finally:
            self._handing_on = False
        if self._transport is not None and len(self._waiting) < MAX_WAITING_REQUESTS:
            self._transport.resume_reading()

    def _answered(self, keep_alive: bool, answer: Answer) -> None:
        self._write(answer, keep_alive)
        self._next()

    def _write(self, answer: Answer, keep_alive: bool) -> None:
        self._answering = False
        self.last_active = asyncio.get_running_loop().time()
        if self._transport is None:
            return
        keep_alive = keep_alive and not answer.close and not self._draining()
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (
            answer.status,
            REASONS[answer.status],
            len(answer.body),
        )
        if answer.retry_after is not None:
            head += b"Retry-After: %d\r\n" % answer.retry_after
        if not keep_alive:
            head += b"Connection: close\r\n"
        self._transport.write(head + b"\r\n" + answer.body)
        if not keep_alive:
            self._closing = True
            self._transport.close()
