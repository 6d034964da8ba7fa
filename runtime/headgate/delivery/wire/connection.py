"""One HTTP/1.1 connection to Kinesis: a request, its answer, then the next."""

import asyncio
from typing import cast

import httptools

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""More than any answer to 500 records has."""


class NetworkError(Exception):
    """A request got no answer."""

    def __init__(self, code: str, message: str, *, sent: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.sent = sent
        """False when nothing of the request has left; otherwise it may have been accepted."""


class Connection(asyncio.Protocol):
    """Carries one request at a time. What goes wrong after a request began ends the connection."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._keep = True
        self.idle_since = 0.0
        """The loop's time when its last answer was complete; the pool keeps it."""

    @property
    def reusable(self) -> bool:
        """Whether it can take another request."""
        return self._keep and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, head: bytes, body: bytes, within: float) -> tuple[int, bytes]:
        """Send a request on a reusable connection; return the answer's status and body.

        Args:
            head: the request line and headers, with the empty line.
            body: the request's body.
            within: seconds for all of it.

        Raises:
            NetworkError: no answer came; the request may have been accepted.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[int, bytes]] = loop.create_future()
        self._answer = answer
        late = NetworkError("AnswerTimeout", f"no answer within {within:g} s", sent=True)
        timer = loop.call_later(within, self._fail, late)
        cast("asyncio.Transport", self._transport).writelines((head, body))
        try:
            return await answer
        except BaseException:  # cancelled, too: its answer must not be taken for that of the next request
            self.abort()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Close it; nothing is under way."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close it at once, whatever is under way."""
        self._keep = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio calls this."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its base

    def connection_lost(self, exc: Exception | None) -> None:
        """End; asyncio calls this."""
        self._transport = None
        why = " ".join(str(exc).split()) if exc else "the other side closed it"
        self._fail(
            NetworkError("ConnectionLost", f"the connection ended before the answer: {why}", sent=True)
        )

    def data_received(self, data: bytes) -> None:
        """Parse what came; asyncio calls this."""
        if self._answer is None or self._answer.done():
            # Nobody asked: some servers say goodbye with a 408, which must not answer the next request.
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(NetworkError("NotHttp", f"the answer is not HTTP/1.1: {error}", sent=True))

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """Begin an answer."""
        self._body, self._body_bytes = [], 0

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > MAX_ANSWER_BYTES:
            self._fail(
                NetworkError("AnswerTooLarge", f"it is larger than {MAX_ANSWER_BYTES:,} bytes", sent=True)
            )
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """Hand over the answer that is complete now."""
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer: the one that counts follows
            return
        if self._answer is None or self._answer.done():
            self._keep = False  # more came than was asked for
            return
        # A server may answer before it has read the whole request; then the rest is still to be written.
        written = self._transport is not None and self._transport.get_write_buffer_size() == 0
        self._keep = self._keep and written and bool(self._parser.should_keep_alive())
        self._answer.set_result((status, b"".join(self._body)))

    def _fail(self, error: NetworkError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.abort()
