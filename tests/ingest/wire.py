"""A connection without a socket: the protocol is given bytes, and its answers are read from memory."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from headgate.ingest.connections import Connections
from headgate.ingest.limits import HttpLimits
from headgate.ingest.protocol import Handler, HttpProtocol
from headgate.ingest.tracking import TrackingApi
from tests.ingest.serving import SOURCE, Answer, Delivery, parse

NOW = datetime(2026, 11, 20, 10, 0, 2, tzinfo=UTC)


class Transport:
    """What asyncio would give the protocol; `unread` bytes of what was written wait for the client."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.unread = 0
        self.closed = False
        self.reset = False
        self.half_closed = False
        self.paused = False

    def get_extra_info(self, name: str) -> object:
        return ("203.0.113.7", 1) if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes) -> None:
        assert not self.half_closed
        if not self.closed:
            self.written += data

    def write_eof(self) -> None:
        self.half_closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.reset = True

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False

    @property
    def over(self) -> bool:
        """Whether the client has been told that nothing more comes."""
        return self.closed or self.half_closed


class Wire:
    """One connection to a TrackingApi, or to a handler of the test's own."""

    def __init__(
        self, limits: HttpLimits | None = None, handler: Handler | None = None, **options: Any
    ) -> None:
        self.delivery = Delivery()
        numbers = iter(range(1_000_000))
        self.api = TrackingApi(
            sources=dict.fromkeys(SOURCE.write_keys, SOURCE),
            delivery=cast("Any", self.delivery),
            now=lambda: NOW,
            new_message_id=lambda: f"message-{next(numbers)}",
            **options,
        )
        self.connections = Connections(limits, now=1_000.0)
        self.transport = Transport()
        self.protocol = HttpProtocol(handler or self.api.handle, self.connections)
        self.protocol.connection_made(cast("Any", self.transport))

    def send(self, *pieces: bytes) -> "Wire":
        for piece in pieces:
            if piece and not self.transport.closed:
                self.protocol.data_received(piece)
        return self

    def after(self, seconds: float) -> "Wire":
        self.connections.check(self.connections.now + seconds)
        return self

    @property
    def answers(self) -> list[Answer]:
        return split_answers(bytes(self.transport.written))


def split_answers(written: bytes) -> list[Answer]:
    """Cut what was written into answers by their own lengths, as a client does."""
    answers = []
    while written:
        head, end, rest = written.partition(b"\r\n\r\n")
        if head == b"HTTP/1.1 100 Continue":
            written = rest
            continue
        [length] = [int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
        answers.append(parse(head + end + rest[:length]))
        assert len(rest) >= length
        written = rest[length:]
    return answers


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut bytes at some places."""
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]
