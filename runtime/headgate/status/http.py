"""`GET /statusz` on the loopback interface, in a process that must never wait for who asks.

With `?buckets` it tells all that is known of each distribution: two answers then show the time between them.

It runs on anything that has the four methods of `Watcher`: asyncio's event loop where a process is its own
parent, the supervisor's where there are workers.
"""

import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PATH = "/statusz"
MAX_HEAD_BYTES = 8 * 1024
MAX_CONNECTIONS = 16
"""Above it the oldest is closed, so that connections that say nothing never keep others out."""


class Watcher(Protocol):
    """The methods of an event loop that tell when a socket can be read or written."""

    def add_reader(self, fd: int, callback: Callable[[], None], /) -> Any:
        """Call back whenever there is something to read."""

    def remove_reader(self, fd: int, /) -> Any:
        """Call back no more."""

    def add_writer(self, fd: int, callback: Callable[[], None], /) -> Any:
        """Call back whenever something can be written."""

    def remove_writer(self, fd: int, /) -> Any:
        """Call back no more."""


def listen(port: int) -> socket.socket | None:
    """Return a socket for the page, or None, with a warning that names the port, where it is not to be had.

    Several forwarders run on one machine, and the page is never worth refusing to deliver.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as fault:
        reason = os.strerror(fault.errno or 0).lower()
        log.warning(
            "the status page is not served; give another --status-port",
            extra={"port": port, "reason": reason},
        )
        return None
    listening.settimeout(0)
    log.info("status page", extra={"address": "http://{}:{}{}".format(*listening.getsockname()[:2], PATH)})
    return listening


class StatusServer:
    """Answers on a listening socket for as long as its watcher runs; `page` is that of a `Board`."""

    def __init__(self, listening: socket.socket, watcher: Watcher, page: Callable[[bool], bytes]) -> None:
        self._listening = listening
        self._watcher = watcher
        self._page = page
        self._heads: dict[socket.socket, bytes] = {}
        """What each connection that waits for its answer has sent."""
        self._answers: dict[socket.socket, bytes] = {}
        watcher.add_reader(listening.fileno(), self._accept)

    def close(self) -> None:
        """Stop answering."""
        self._watcher.remove_reader(self._listening.fileno())
        self._listening.close()
        for connection in [*self._heads, *self._answers]:
            self._end(connection)

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:  # gone before it was accepted, or no descriptors are left
            return
        connection.settimeout(0)
        if len(self._heads) + len(self._answers) >= MAX_CONNECTIONS:
            self._end(next(iter(self._heads or self._answers)))
        self._heads[connection] = b""
        self._watcher.add_reader(connection.fileno(), partial(self._read, connection))

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(MAX_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        head = self._heads[connection] + data
        if not data or len(head) > MAX_HEAD_BYTES:
            self._end(connection)
        elif b"\r\n\r\n" in head:
            self._watcher.remove_reader(connection.fileno())
            del self._heads[connection]
            self._answers[connection] = self._answer(head)
            self._watcher.add_writer(connection.fileno(), partial(self._write, connection))
        else:
            self._heads[connection] = head

    def _write(self, connection: socket.socket) -> None:
        answer = self._answers[connection]
        try:
            left = answer[connection.send(answer) :]
        except BlockingIOError:
            return
        except OSError:
            left = b""
        self._answers[connection] = left
        if not left:
            self._end(connection)

    def _answer(self, head: bytes) -> bytes:
        method, _, target = head.partition(b"\r\n")[0].partition(b" ")
        path, _, query = target.partition(b" ")[0].partition(b"?")
        if path != PATH.encode():
            return _http(b"404 Not Found", b'{"success": false, "code": "not_found"}\n')
        if method not in (b"GET", b"HEAD"):
            return _http(b"405 Method Not Allowed", b'{"success": false, "code": "method_not_allowed"}\n')
        try:
            answer = _http(b"200 OK", self._page(query == b"buckets"))
        except Exception:
            log.exception("the status page failed in a way nobody foresaw")
            return _http(b"500 Internal Server Error", b'{"success": false, "code": "internal"}\n')
        return answer if method == b"GET" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _end(self, connection: socket.socket) -> None:
        if self._heads.pop(connection, None) is not None:
            self._watcher.remove_reader(connection.fileno())
        if self._answers.pop(connection, None) is not None:
            self._watcher.remove_writer(connection.fileno())
        connection.close()


def _http(status: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nCache-Control: no-store\r\n"
        b"Connection: close\r\n\r\n%b" % (status, len(body), body)
    )
