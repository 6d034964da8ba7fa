"""The fake on a socket: HTTP/1.1 with kept connections, and what can go wrong with a connection."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import NoReturn, cast

from aiohttp import web

from headgate.testing.faults import (
    CutAnswer,
    FailRequests,
    Faults,
    HangConnection,
    Outage,
    RequestFault,
    ResetConnection,
)
from headgate.testing.front import Asked, Front, Reply
from headgate.testing.ledger import Ledger

ADMIN = "/_headgate/"
"""Where the paths of the admin API begin."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_READ_BUFFER = 2**22
"""Bytes of a body that a connection takes ahead: a large request arrives without pauses."""


class Server:
    """Listens on one address and answers for all services.

    Args:
        front: what answers.
        faults: what is to go wrong.
        ledger: where every request is written down.
        clock: seconds since 1970.
        admin: what answers below `ADMIN`.
        host: the address.
        port: 0 for one that is free.
        tls: what it shows its certificate with; None for plain HTTP.
    """

    def __init__(
        self,
        front: Front,
        faults: Faults,
        ledger: Ledger,
        *,
        clock: Callable[[], float],
        admin: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._front = front
        self._faults = faults
        self._ledger = ledger
        self._clock = clock
        self._admin = admin
        self.host = host
        self.port = port
        self._tls = tls
        self._http: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._stopping = asyncio.Event()

    async def listen(self) -> None:
        """Listen, on the same port as before where that was so.

        Raises:
            OSError: the address cannot be had.
        """
        if self._http is None:
            self._http = web.Server(self._handle, read_bufsize=_READ_BUFFER, access_log=None)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._http, self.host, self.port, ssl=self._tls)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Listen no more, and reset all connections."""
        if self._listening is None or self._http is None:
            return
        self._listening.close()
        for connection in self._http.connections:
            if connection.transport is not None:
                _abort(connection.transport)
        await self._listening.wait_closed()
        self._listening = None

    async def stop(self) -> None:
        """End all connections, those that hang too."""
        self._stopping.set()
        await self.refuse()
        if self._http is not None:
            await self._http.shutdown(1.0)

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.path.startswith(ADMIN):
            return await self._admin(http)
        body = await http.content.read()
        asked = self._front.read(http.headers, body)
        wait, fault = self._faults.strike_request(asked.log)
        if wait:
            await asyncio.sleep(wait)
        if fault is not None:
            asked.log.fault = type(fault).__name__
        reply = self._answer(asked, fault)
        asked.log.time = self._clock()
        self._ledger.log(asked.log)
        return await self._send(http, reply, fault)

    def _answer(self, asked: Asked, fault: RequestFault | None) -> Reply | None:
        """Return the answer; None where a fault keeps the request from being carried out."""
        match fault:
            case FailRequests(code=code, message=message, status=status):
                return self._front.fail(asked, code, message, status)
            case Outage(answer=500):
                return self._front.fail(asked, "InternalFailure")
            case Outage(answer=503):
                return self._front.fail(asked, "ServiceUnavailable")
            case Outage() | ResetConnection(accepted=False) | HangConnection(accepted=False):
                return None
        return self._front.answer(asked)

    async def _send(
        self, http: web.BaseRequest, reply: Reply | None, fault: RequestFault | None
    ) -> web.StreamResponse:
        match fault:
            case HangConnection():
                await self._stopping.wait()
                return _reset(http)
            case CutAnswer() if reply is not None:
                return _cut(http, reply)
        if reply is None or isinstance(fault, ResetConnection):
            return _reset(http)
        return web.Response(
            status=reply.status,
            body=reply.body,
            headers={"Content-Type": reply.content_type, "x-amzn-RequestId": reply.request_id},
        )


class _Nothing(web.Response):
    """What is left to write where the connection has been ended: aiohttp takes it that the client is gone."""

    async def prepare(self, request: web.BaseRequest) -> NoReturn:  # noqa: ARG002  # aiohttp's signature
        raise ConnectionResetError


def _reset(http: web.BaseRequest) -> web.Response:
    if http.transport is not None:
        _abort(http.transport)
    return _Nothing()


def _cut(http: web.BaseRequest, reply: Reply) -> web.Response:
    """Send the head and half of the body, then close."""
    head = (
        f"HTTP/1.1 {reply.status} OK\r\nContent-Type: {reply.content_type}\r\n"
        f"x-amzn-RequestId: {reply.request_id}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
    )
    if http.transport is not None:
        http.transport.write(head.encode() + reply.body[: len(reply.body) // 2])
        http.transport.close()
    return _Nothing()


def _abort(transport: asyncio.BaseTransport) -> None:
    """End a connection with a TCP reset."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    cast("asyncio.Transport", transport).abort()  # uvloop's is one in all but its base
