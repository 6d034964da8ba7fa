"""Kept connections to Kinesis: a third of the CPU of a general HTTP client per request, and less."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.delivery.wire.connection import Connection, NetworkError
from headgate.delivery.wire.endpoints import Endpoint

CONNECT_SECONDS = 3.0
"""Name resolution, TCP and TLS together."""
IDLE_SECONDS = 30.0
"""A connection that was quiet for longer is not trusted with a request any more."""
MAX_CONNECTIONS = 256
"""Per endpoint. More requests than that wait for a connection."""


@dataclass(slots=True)
class _Host:
    idle: list[Connection] = field(default_factory=list)
    """The one used last is at the end."""
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONNECTIONS))


class Pool:
    """Sends requests over kept connections, one at a time on each."""

    def __init__(self, tls: ssl.SSLContext, answer_within: float) -> None:
        self._tls = tls
        self._answer_within = answer_within
        self._hosts: dict[str, _Host] = {}
        self._closed = False

    async def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a POST; return the answer's status and body.

        Raises:
            NetworkError: there is no connection to be had, or no answer came.
        """
        host = self._hosts.get(endpoint.url)
        if host is None:
            host = self._hosts[endpoint.url] = _Host()
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"POST {endpoint.path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        async with host.places:
            connection = _idle(host) or await self._connect(endpoint)
            answer = await connection.exchange(head.encode("latin-1"), body, self._answer_within)
            if connection.reusable and not self._closed:
                connection.idle_since = asyncio.get_running_loop().time()
                host.idle.append(connection)
            else:
                connection.close()
        return answer

    def close(self) -> None:
        """Close every connection that no request uses; the others close after theirs."""
        self._closed = True
        for host in self._hosts.values():
            while host.idle:
                host.idle.pop().close()

    async def _connect(self, endpoint: Endpoint) -> Connection:
        place = f"{endpoint.address}:{endpoint.port}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection, endpoint.address, endpoint.port, ssl=self._tls if endpoint.tls else None
                )
            return connection
        except OSError as error:
            raise not_connected(error, place) from None


def _idle(host: _Host) -> Connection | None:
    """Return the connection used last; what is older than it may be goes."""
    if not host.idle:
        return None
    oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
    while host.idle:
        connection = host.idle.pop()
        if connection.reusable and connection.idle_since >= oldest:
            return connection
        connection.close()
    return None


def not_connected(error: OSError, place: str) -> NetworkError:
    """Return what a failed attempt to connect means, in words that name the place."""
    if isinstance(error, TimeoutError):
        code, why = "ConnectTimeout", f"there is none within {CONNECT_SECONDS:g} s"
    elif isinstance(error, socket.gaierror):
        code, why = "UnknownHost", f"the name does not resolve: {error.strerror}"
    elif isinstance(error, ssl.SSLCertVerificationError):
        code = "TlsVerificationFailed"
        why = (
            f"its certificate is not trusted ({error.verify_message}); AWS_CA_BUNDLE names another authority"
        )
    elif isinstance(error, ssl.SSLError):
        code, why = "TlsFailed", error.reason or str(error)
    else:
        code, why = "ConnectFailed", error.strerror or str(error)
    return NetworkError(code, f"no connection to {place}: {why}", sent=False)
