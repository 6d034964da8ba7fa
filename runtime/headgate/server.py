"""The forwarder's process: wires settings, ingest and delivery, serves, and drains when told to stop."""

import asyncio
import logging
import math
import signal
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import botocore.session
import uvloop

from headgate.delivery.delivery import Delivery
from headgate.errors import UsageError
from headgate.ingest.acceptor import Acceptor
from headgate.ingest.connections import Connections
from headgate.ingest.limits import HttpLimits
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.rates import SourceRates
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Source
from headgate.settings.watch import FileWatch, Stamp
from headgate.spec.prepare import Limits

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How the process serves; times in seconds."""

    sources: Path
    """The file that the sources came from; it is followed."""
    read_at: Stamp
    """The file's stamp from before it was read."""
    acknowledge_within: float
    drain: float
    workers: int = 1
    """How many processes serve alike; each allows its share of a source's rate."""
    http: HttpLimits = field(default_factory=HttpLimits)
    events: Limits = field(default_factory=Limits)
    forwarded_hops: int = 0
    """How many proxies of our own stand before us: which entry of X-Forwarded-For is the client's."""
    public_api: Mapping[str, str] = field(default_factory=dict)
    """Where clients reach us, as `headgate.ingest.projects.public_api` puts it."""


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
    # AWS_CA_BUNDLE and the profile's ca_bundle count here as in every AWS tool.
    tls = ssl.create_default_context(cafile=session.get_config_variable("ca_bundle"))
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ssl=tls)
    async with aiohttp.ClientSession(trust_env=True, connector=connector) as http:
        delivery = Delivery(session, http, acknowledge_within=options.acknowledge_within)
        api = TrackingApi(
            sources=sources,
            delivery=delivery,
            limits=options.events,
            request_bytes=options.http.request_bytes,
            forwarded_hops=options.forwarded_hops,
            public_api=options.public_api,
            rates=SourceRates(time.monotonic, workers=options.workers),
        )
        watch = FileWatch(options.sources, options.read_at, api.take)
        api.reread = watch.reread
        loop = asyncio.get_running_loop()
        connections = Connections(options.http, now=loop.time())
        told = _told_to_stop(loop)
        address = "{}:{}".format(*listening.getsockname()[:2])
        acceptor = Acceptor(
            listening, connections, lambda: HttpProtocol(api.handle, connections, lambda: api.draining)
        )
        background = [
            asyncio.create_task(_check(connections, api, loop.time)),
            asyncio.create_task(watch.follow()),
        ]
        log.info(
            "serving",
            extra={"address": address, "write_keys": len(sources)},
        )
        await told[0].wait()
        api.draining = True
        log.info("draining", extra={"seconds": options.drain})
        await _first_of(told[1].wait(), asyncio.sleep(options.drain))
        acceptor.close()
        connections.close()
        await delivery.settle_all()
        for task in background:
            task.cancel()
        await delivery.close()
        connections.close()
        api.outcomes.report(math.inf)
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


async def _check(connections: Connections, api: TrackingApi, now: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(1)
        connections.check(now())
        api.outcomes.report(now())
