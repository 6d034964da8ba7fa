"""The forwarder's process: wires settings, ingest and delivery, serves, and drains when told to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import uvloop

from headgate.delivery.delivery import Delivery
from headgate.delivery.wire.client import Wire
from headgate.errors import UsageError
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Source
from headgate.settings.watch import Stamp, follow

log = logging.getLogger(__name__)

IDLE_SECONDS = 75
"""How long a quiet connection is kept: longer than the 60 s of a load balancer, which must close first."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How the process serves; times in seconds."""

    sources: Path
    """The file that the sources came from; it is followed."""
    read_at: Stamp
    """The file's stamp from before it was read."""
    acknowledge_within: float
    drain: float


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        UsageError: the address cannot be had: the port is in use, or not ours to take.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason}; give another --host or --port"
        ) from None


def serve(listening: socket.socket, sources: dict[str, Source], options: ServerOptions) -> None:
    """Serve until SIGTERM or SIGINT, then drain: nothing acknowledged is lost, nothing open is cut off."""
    uvloop.run(_serve(listening, sources, options))


async def _serve(listening: socket.socket, sources: dict[str, Source], options: ServerOptions) -> None:
    session = botocore.session.get_session()
    delivery = Delivery(session, Wire(session), acknowledge_within=options.acknowledge_within)
    api = TrackingApi(sources=sources, delivery=delivery)
    connections: set[HttpProtocol] = set()
    loop = asyncio.get_running_loop()
    told = _told_to_stop(loop)
    server = await loop.create_server(
        lambda: HttpProtocol(api.handle, connections, lambda: api.draining), sock=listening
    )
    background = [
        asyncio.create_task(_close_idle(connections, loop.time)),
        asyncio.create_task(follow(options.sources, options.read_at, api.take)),
    ]
    log.info(
        "serving",
        extra={"address": "{}:{}".format(*listening.getsockname()[:2]), "write_keys": len(sources)},
    )
    await told[0].wait()
    api.draining = True
    log.info("draining", extra={"seconds": options.drain})
    await _first_of(told[1].wait(), asyncio.sleep(options.drain))
    server.close()
    for connection in list(connections):
        if connection.idle:
            connection.close()
    await delivery.settle_all()
    for task in background:
        task.cancel()
    await delivery.close()
    for connection in list(connections):
        connection.close()
    log.info("stopped")


def _told_to_stop(loop: asyncio.AbstractEventLoop) -> tuple[asyncio.Event, asyncio.Event]:
    """Return an event for the first SIGTERM or SIGINT and one for the second."""
    first, second = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (second if first.is_set() else first).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    # A supervisor forks with both held back until somebody listens for them.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    return first, second


async def _first_of(*waiting: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(each) for each in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _close_idle(connections: set[HttpProtocol], now: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(1)
        for connection in list(connections):
            if connection.idle and now() - connection.last_active > IDLE_SECONDS:
                connection.close()
