"""The page's server on the supervisor's loop; whole processes in test_supervisor.py ask asyncio's too."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from headgate.poll import Poll
from headgate.status.http import MAX_CONNECTIONS, MAX_HEAD_BYTES, StatusServer, listen

BIG = json.dumps({"big": "x" * 8_000_000}).encode()


@contextmanager
def serving(page: Callable[[bool], bytes] = lambda _: b'{"well": true}') -> Iterator[tuple[str, int]]:
    listening = listen(0)
    assert listening is not None
    poll, stop = Poll(), threading.Event()
    server = StatusServer(listening, poll, page)
    address = listening.getsockname()

    def run() -> None:
        while not stop.is_set():
            poll.wait(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield address
    finally:
        stop.set()
        thread.join(10)
        server.close()


def ask(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /statusz HTTP/1.1", b"200 OK"),
        (b"GET /statusz?x=1 HTTP/1.0", b"200 OK"),
        (b"GET / HTTP/1.1", b"404 Not Found"),
        (b"GET /statusz/x HTTP/1.1", b"404 Not Found"),
        (b"POST /v1/track HTTP/1.1", b"404 Not Found"),
        (b"POST /statusz HTTP/1.1", b"405 Method Not Allowed"),
        (b"nonsense", b"404 Not Found"),
    ],
)
def test_it_answers_get_statusz_and_nothing_else(line: bytes, status: bytes) -> None:
    with serving() as address:
        head, _, body = ask(address, line + b"\r\nHost: h\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert (json.loads(body) == {"well": True}) is (status == b"200 OK")


def test_head_gets_the_head_alone() -> None:
    with serving() as address:
        answer = ask(address, b"HEAD /statusz HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(("query", "asked"), [(b"", False), (b"?buckets", True), (b"?x=1", False)])
def test_whoever_asks_for_buckets_gets_them(query: bytes, asked: bool) -> None:
    with serving(lambda buckets: b"with" if buckets else b"without") as address:
        answer = ask(address, b"GET /statusz" + query + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n" + (b"with" if asked else b"without"))


def test_a_page_larger_than_any_buffer_arrives_whole() -> None:
    with serving(lambda _: BIG) as address:
        assert ask(address, b"GET /statusz HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")[2] == BIG


def test_who_says_nothing_or_too_much_keeps_nobody_out() -> None:
    with serving() as address:
        silent = [socket.create_connection(address, timeout=10) for _ in range(3 * MAX_CONNECTIONS)]
        try:
            assert ask(address, b"GET /statusz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
            assert silent[0].recv(1) == b""
        finally:
            for each in silent:
                each.close()
        assert ask(address, b"x" * (MAX_HEAD_BYTES + 1)) == b""
        assert ask(address, b"GET /statusz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_page_that_fails_is_logged_and_the_next_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    faults = iter([ZeroDivisionError("once")])

    def page(_: bool) -> bytes:
        for fault in faults:
            raise fault
        return b"{}"

    with serving(page) as address:
        request = b"GET /statusz HTTP/1.1\r\n\r\n"
        assert ask(address, request).startswith(b"HTTP/1.1 500 ")
        assert ask(address, request).startswith(b"HTTP/1.1 200 ")
    assert "once" in caplog.text


def test_a_port_that_is_taken_is_a_warning_that_names_it(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert listen(port) is None
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.__dict__["port"] == port
    assert record.__dict__["reason"] == "address already in use"


def test_it_listens_on_the_loopback_interface_alone() -> None:
    listening = listen(0)
    assert listening is not None
    with listening:
        assert listening.getsockname()[0] == "127.0.0.1"
