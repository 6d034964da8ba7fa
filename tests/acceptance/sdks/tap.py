"""A proxy before the forwarder that notes each request as it was written, and how it was answered."""

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httptools

_RESET = struct.pack("ii", 1, 0)


@dataclass
class Exchange:
    """One request, and the status of its answer; 0 where there was none."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def text(self) -> bytes:
        """The body, decompressed."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


class Tap:
    """Listens on a port of its own, for as long as the block lasts.

    Where the forwarder cannot be reached, clients' connections are reset.

    Args:
        upstream: the forwarder's port.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._exchanges: list[Exchange] = []
        self._sockets: set[socket.socket] = set()
        self.resets = 0
        """How many connections were reset because the forwarder could not be reached."""

    @property
    def url(self) -> str:
        """Where clients are to send."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def exchanges(self, method: str = "POST") -> Sequence[Exchange]:
        """Return what was sent so far, in order."""
        return [each for each in list(self._exchanges) if each.method == method]

    def forget(self) -> None:
        """Begin anew."""
        self._exchanges.clear()

    def statuses(self) -> set[int]:
        """Return all statuses with which POSTs were answered so far."""
        return {each.status for each in self.exchanges()}

    def until(self, condition: Callable[[], object], *, seconds: float = 20) -> None:
        """Wait until something is true of what passed; it is asked again every few milliseconds.

        Raises:
            TimeoutError: it did not become true in time.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                told = [(each.target, each.status) for each in self.exchanges()]
                raise TimeoutError(f"not within {seconds:g} s; {self.resets} resets, {told}")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone would not wake the thread that accepts.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            self.resets += 1
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        noted = _Noted(self._exchanges)
        with client, server:
            self._sockets |= {client, server}
            back = threading.Thread(
                target=_copy, args=(server, client, noted.answered.feed_data), daemon=True
            )
            back.start()
            _copy(client, server, noted.asked.feed_data)
            back.join()
            self._sockets -= {client, server}


def _copy(source: socket.socket, target: socket.socket, note: Any) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            note(piece)
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@dataclass
class _Request:
    """Takes one connection's requests apart; httptools calls it."""

    noted: "_Noted"
    target: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def on_message_begin(self) -> None:
        self.target, self.headers, self.body = b"", {}, b""

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        method = self.noted.asked.get_method().decode()
        self.noted.open.append(Exchange(method, self.target.decode(), self.headers, self.body))
        self.noted.exchanges.append(self.noted.open[-1])


class _Answer:
    def __init__(self, noted: "_Noted") -> None:
        self.noted = noted

    def on_message_complete(self) -> None:
        status = self.noted.answered.get_status_code()
        # 100 answers nothing yet, and a request that was not read to its end was never noted.
        if status != 100 and self.noted.open:
            self.noted.open.pop(0).status = status


class _Noted:
    """Both directions of one connection; answers come in the order of the requests."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        self.open: list[Exchange] = []
        self.asked = httptools.HttpRequestParser(_Request(self))
        self.answered = httptools.HttpResponseParser(_Answer(self))
