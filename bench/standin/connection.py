"""HTTP/1.1 as clients of AWS write it: POST with Content-Length, the next request after the answer."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple, cast

_END = b"\r\n\r\n"


class Request(NamedTuple):
    """What is asked."""

    path: str
    operation: str
    content_type: str
    body: bytes


class Answer(NamedTuple):
    """What is answered."""

    status: int
    content_type: str
    body: bytes


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        answer: what answers.
        latency: seconds that an answer is held back.
    """

    def __init__(self, answer: Callable[[Request], Answer], latency: float = 0.0) -> None:
        self._answer = answer
        self._latency = latency
        self._pieces: list[bytes] = []
        self._missing = 0
        """Bytes until the request is whole; 0 while its head is not."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        if self._missing:
            self._missing -= len(data)
            if self._missing > 0:
                return
        received = b"".join(self._pieces)
        end = received.find(_END)
        if end < 0:
            return
        head = received[:end]
        lowered = head.lower()
        begin = end + len(_END)
        self._missing = begin + int(_field(head, lowered, b"content-length") or 0) - len(received)
        if self._missing > 0:
            self._pieces = [received]
            return
        self._pieces.clear()
        operation = _field(head, lowered, b"x-amz-target").rpartition(".")[2]
        content_type = _field(head, lowered, b"content-type")
        path = head.split(b" ", 2)[1].decode()
        answer = self._answer(Request(path, operation, content_type, received[begin:]))
        if self._latency and operation:
            asyncio.get_running_loop().call_later(self._latency, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        self._transport.write(
            b"HTTP/1.1 %d \r\nx-amzn-RequestId: c7e1c4a4-0d0b-1b4f-9b5c-95d3f4f6a0aa\r\n"
            b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (answer.status, answer.content_type.encode(), len(answer.body), answer.body)
        )


def _field(head: bytes, lowered: bytes, name: bytes) -> str:
    at = lowered.find(b"\r\n%b:" % name)
    if at < 0:
        return ""
    begin = at + len(name) + 3
    end = head.find(b"\r\n", begin)
    return head[begin : end if end >= 0 else None].strip().decode()


async def listen(connection: Callable[[], Connection], certificate: str | None) -> list[int]:
    """Serve on two ports, plain and, with a certificate and its key in a file, TLS; return them."""
    contexts: list[ssl.SSLContext | None] = [None]
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        contexts.append(tls)
    ports, loop = [], asyncio.get_running_loop()
    for context in contexts:
        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        await loop.create_server(connection, sock=listening, ssl=context)
        ports.append(int(listening.getsockname()[1]))
    return ports
