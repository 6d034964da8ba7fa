"""HTTP/1.1 in: a connection's bytes, however they are cut, become requests or what is wrong with them."""

from collections.abc import Callable
from typing import NoReturn

import httptools

from headgate.ingest.answers import Answer, error, method_not_allowed
from headgate.ingest.connections import Connections
from headgate.ingest.requests import KEPT, Request
from headgate.ingest.same_head import SameHead, same_head

METHODS = b"GET, HEAD, POST, OPTIONS"
_VERSIONED = frozenset({b"connection", b"expect", b"transfer-encoding"})
"""Headers that mean something in one version of HTTP alone."""
_HEADS_TRIED = 4
"""Heads of a connection that are compared with what comes next, before its client is taken to vary them."""


class _Refused(Exception):  # noqa: N818  # stops the parser from inside a callback
    """The request is answered already; nothing more of the connection is read."""


class RequestReader:
    """Reads the requests of one connection; httptools calls the `on_` methods.

    llhttp, which httptools wraps, is strict about framing: two lengths, a length beside a transfer coding,
    bad chunks, folded lines, bare CR or LF and stray bytes are errors. What it lets pass is checked here.

    Args:
        connections: what bounds all connections of the process.
        peer: the address at the other end.
        on_request: called with each request that is whole, or that has a fault; after that nothing is read.
        on_continue: called when a client waits for a word before it sends its body.
    """

    def __init__(
        self,
        connections: Connections,
        peer: str,
        on_request: Callable[[Request], None],
        on_continue: Callable[[], None],
    ) -> None:
        self._connections = connections
        self._limits = connections.limits
        self._peer = peer
        self._on_request = on_request
        self._on_continue = on_continue
        self._parser = httptools.HttpRequestParser(self)
        self._request = Request(peer)
        self._head_bytes = 0
        self._head_lines = 0
        self._unparsed = 0
        self._pieces: bytearray | None = None  # of a body that came in more than one
        self._same: SameHead | None = None
        self._heads_left = _HEADS_TRIED
        self.reading = False
        """Whether a request has begun and is not whole yet."""
        self.in_body = False
        """Whether its headers are complete."""
        self.since = 0.0
        """When it began, or when its headers were complete."""
        self.ended = False
        """Whether nothing more is read: what comes is dropped."""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if self.ended:
            return
        at_head = not self.reading
        if at_head and self._same is not None:
            data = self._read_again(self._same, data)
            if not data:
                return
        begun = self._request
        rest = data
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                self._ignore_upgrade()
                rest = rest[upgrade.args[0] :]
                continue
            except httptools.HttpParserError as fault:
                self._failed(fault)
            break
        if self.reading:
            if not self.in_body:
                self._bound_unended_head(len(data) if begun is self._request else 0)
        elif at_head and self._heads_left and not self.ended:
            self._heads_left -= 1
            self._same = same_head(data, self._request)

    def _read_again(self, same: SameHead, data: bytes) -> bytes:
        """Hand on the requests that data begins with and whose heads are known; return what comes after."""
        connections = self._connections
        while (body := same.body_in(data)) is not None:
            start, end = body
            held = end - start
            # What is too large, or too much, is refused where any other request is.
            if held > self._limits.request_bytes or connections.held_bytes + held > self._limits.held_bytes:
                break
            connections.held_bytes += held
            self._on_request(
                Request(
                    self._peer,
                    b"POST",
                    same.target,
                    same.headers,
                    data[start:end],
                    keep_alive=True,
                    held=held,
                )
            )
            data = data[end:]
            if self.ended:
                return b""
        return data

    def refuse(self, fault: Answer) -> None:
        """Give up the request that is being read, and all that comes after it."""
        request = self._request if self.reading else Request(self._peer)
        self.ended = True
        self.reading = False
        self._pieces = None
        request.fault = fault
        request.keep_alive = False
        self._on_request(request)

    def forget(self) -> None:
        """Drop the request that is being read: its client is gone."""
        self.ended = True
        self._pieces = None
        if self.reading:
            self.reading = False
            self._connections.held_bytes -= self._request.held

    def on_message_begin(self) -> None:
        """Begin a request; httptools calls this."""
        if self.ended:
            raise _Refused
        self._request = Request(self._peer)
        self.reading = True
        self.in_body = False
        self.since = self._connections.now
        self._head_bytes = 0
        self._head_lines = 0
        self._unparsed = 0
        self._pieces = None

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target; httptools calls this."""
        self._request.target += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; httptools calls this."""
        self._head_bytes += len(name) + len(value)
        self._head_lines += 1
        if self.in_body:  # a trailer, which counts for nothing but its size
            self._bound_head()
            return
        name = name.lower()
        if name in KEPT:
            headers = self._request.headers
            headers[name] = headers[name] + b"," + value if name in headers else value

    def on_headers_complete(self) -> None:
        """Prepare for the body that the headers announce; httptools calls this."""
        if self._head_bytes > self._limits.head_bytes or self._head_lines > self._limits.headers:
            self._bound_head()
        request, parser = self._request, self._parser
        headers = request.headers
        request.method = method = parser.get_method()
        request.keep_alive = keep_alive = parser.should_keep_alive()
        self.in_body = True
        self.since = self._connections.now
        if b"#" in request.target:
            self._stop(error(400, "bad_request", "the request target has a fragment"))
        if method == b"CONNECT":
            self._stop(method_not_allowed(METHODS))
        if int(headers.get(b"content-length", 0)) > self._limits.request_bytes:
            self._stop(self._body_too_large())
        # HTTP/1.1 is what keeps alive unasked; only what does not is worth a look at its version.
        if not keep_alive or not _VERSIONED.isdisjoint(headers):
            self._heed_version(request, parser.get_http_version())

    def _heed_version(self, request: Request, version: str) -> None:
        """Heed the headers that mean something in one version of HTTP alone."""
        headers = request.headers
        if version not in ("1.0", "1.1"):
            self._stop(error(400, "bad_request", f"HTTP/{version} is not served; allowed: 1.0, 1.1"))
        if version == "1.0" and request.keep_alive:
            request.connection = b"Connection: keep-alive\r\n"
        coding = headers.get(b"transfer-encoding")
        if coding is not None and (coding.lower() != b"chunked" or version == "1.0"):
            self._stop(error(400, "bad_request", "Transfer-Encoding; allowed: chunked, in HTTP/1.1"))
        if headers.get(b"expect", b"").lower() == b"100-continue" and version == "1.1":
            self._on_continue()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; httptools calls this."""
        request, connections, size = self._request, self._connections, len(data)
        request.held += size
        connections.held_bytes += size
        if request.held > self._limits.request_bytes:
            self._stop(self._body_too_large())
        if connections.held_bytes > self._limits.held_bytes:
            self._stop(error(503, "busy", "too many requests are being read; send again", retry_after=1))
        if request.held == size:
            request.body = data
        elif self._pieces is None:
            self._pieces = bytearray(request.body + data)
        else:
            self._pieces += data

    def on_message_complete(self) -> None:
        """Hand on the request that is whole now; httptools calls this."""
        if self._parser.should_upgrade():
            return
        request = self._request
        self.reading = False
        if self._pieces is not None:
            request.body = bytes(self._pieces)
            self._pieces = None
        if not request.keep_alive:
            self.ended = True
        self._on_request(request)

    def _failed(self, fault: httptools.HttpParserError) -> None:
        if isinstance(fault, httptools.HttpParserCallbackError):
            if not isinstance(fault.__context__, _Refused):
                raise fault
        elif isinstance(fault, httptools.HttpParserInvalidMethodError):
            self.refuse(method_not_allowed(METHODS))
        elif not self.ended:
            self.refuse(error(400, "bad_request", f"the request is not HTTP/1.1: {fault}"))

    def _bound_unended_head(self, more: int) -> None:
        # httptools keeps a name or a value that has not ended yet to itself.
        self._unparsed += more
        if self._head_bytes > self._limits.head_bytes or self._unparsed > 2 * self._limits.head_bytes:
            self.refuse(self._head_too_large())

    def _ignore_upgrade(self) -> None:
        """Read on as if no upgrade had been offered, as any server may (RFC 9110, 7.8).

        Java's own client offers HTTP/2 with every plain request, and means its body to be read as HTTP/1.1
        all the same. httptools stops at such a head, so a new parser is told of the framing alone.
        """
        request = self._request
        self._parser = httptools.HttpRequestParser(self)
        if b"transfer-encoding" in request.headers:
            self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        elif (length := int(request.headers.get(b"content-length", 0))) > 0:
            self._parser.feed_data(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length)
        else:
            self.on_message_complete()
            return
        self._request = request

    def _bound_head(self) -> None:
        if self._head_bytes > self._limits.head_bytes:
            self._stop(self._head_too_large())
        if self._head_lines > self._limits.headers:
            self._stop(error(431, "too_large", f"more than {self._limits.headers} headers"))

    def _head_too_large(self) -> Answer:
        return error(431, "too_large", f"path and headers are longer than {self._limits.head_bytes:,} bytes")

    def _body_too_large(self) -> Answer:
        return error(413, "too_large", f"the body is larger than {self._limits.request_bytes:,} bytes")

    def _stop(self, fault: Answer) -> NoReturn:
        self.refuse(fault)
        raise _Refused
