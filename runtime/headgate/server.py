"""The forwarder's process: wires settings, ingest and delivery, serves, and drains when told to stop."""

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import botocore.session
import uvloop

import headgate
from headgate import garbage
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.preflight import Preflight
from headgate.delivery.wire.client import Wire
from headgate.errors import UsageError
from headgate.ingest.acceptor import Acceptor
from headgate.ingest.connections import Connections
from headgate.ingest.limits import HttpLimits
from headgate.ingest.outcomes import Outcomes
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.rates import SourceRates
from headgate.ingest.tracking import TrackingApi
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.drain import Drainer
from headgate.overflow.refuges import RefugeOptions, Refuges
from headgate.settings.schema import Source
from headgate.settings.store import Store, Version
from headgate.settings.targets import every_target
from headgate.settings.watch import Watch
from headgate.spec.prepare import Limits
from headgate.status.board import Board
from headgate.status.http import StatusServer
from headgate.status.report import Report
from headgate.status.reporter import Parent, Reporter, emf_log

log = logging.getLogger(__name__)

GIVE_BACK_SECONDS = 2
"""How long messages that are being drained have to be settled, before they go back into their queue."""
ECHO_SECONDS = 0.3
"""Ctrl-C reaches a worker from the terminal and from its parent: within this time that is one signal."""
LOOK_SECONDS = 4
"""How long a worker looks at the settings before it accepts connections, with those it was given or none."""
PREPARE_SECONDS = 5
"""How long destinations are got ready, before the first connection is accepted or `/healthz` says 200."""
MOST_PREPARED = 64
"""Destinations that are got ready: of thousands the calls alone would take longer than all have."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How the process serves; times in seconds."""

    delivery: DeliverySettings
    drain: float
    refuges: RefugeOptions = field(default_factory=RefugeOptions)
    workers: int = 1
    """How many processes serve alike; each allows its share of a source's rate."""
    http: HttpLimits = field(default_factory=HttpLimits)
    events: Limits = field(default_factory=Limits)
    forwarded_hops: int = 0
    """How many proxies of our own stand before us: which entry of X-Forwarded-For is the client's."""
    public_api: Mapping[str, str] = field(default_factory=dict)
    """Where clients reach us, as `headgate.ingest.projects.public_api` puts it."""
    service: str = "headgate"
    """What metrics call it: their dimension `Service`."""


def listen(host: str, port: int, fix: str = "give another --host or --port") -> socket.socket:
    """Return a listening socket.

    Args:
        host: a name or an address of this machine.
        port: 0 for any that is free.
        fix: what the error is to end with.

    Raises:
        UsageError: the address cannot be had: the port is in use, or not ours to take.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        # Python adds the address to what the system says of it.
        reason = (fault.strerror or str(fault)).lower().partition(" (while")[0]
        raise UsageError(f"cannot listen on {host} port {port}: {reason}; {fix}") from None


def serve(
    listening: socket.socket,
    store: Store,
    first: Version | None,
    options: ServerOptions,
    *,
    parent: socket.socket | None = None,
    status: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain: nothing acknowledged is lost, nothing open is cut off.

    Args:
        listening: the socket to accept from.
        store: where the settings are; it is followed.
        first: what the settings were when they were first read; None where AWS did not give them.
        options: how to serve.
        parent: the channel to the supervisor, where there is one; its end is an order to stop at once.
        status: where this process itself serves `/statusz`, if anywhere.
    """
    uvloop.run(_serve(listening, store, first, options, parent, status))


async def _serve(
    listening: socket.socket,
    store: Store,
    first: Version | None,
    options: ServerOptions,
    parent: socket.socket | None,
    status: socket.socket | None,
) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    metrics = Metrics()
    refuges = Refuges(session, options.refuges, metrics)
    delivery = Delivery(
        wire,
        CredentialsCache(session),
        Preflight(session),
        options.delivery,
        metrics,
        overflow=refuges.overflow,
        dead_letters=refuges.burial,
    )
    outcomes = Outcomes(metrics, time.monotonic)
    api = TrackingApi(
        sources={},
        delivery=delivery,
        limits=options.events,
        request_bytes=options.http.request_bytes,
        forwarded_hops=options.forwarded_hops,
        public_api=options.public_api,
        rates=SourceRates(time.monotonic, workers=options.workers),
        outcomes=outcomes,
        ready=False,
    )
    known = asyncio.Event()

    def take_settings(changed: dict[str, Source]) -> None:
        api.take(changed)
        delivery.retain(api.targets)
        known.set()

    async def get_ready() -> None:
        await known.wait()
        # What AWS does not answer in time is found out by the first request.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(delivery.prepare(islice(api.targets, MOST_PREPARED)), PREPARE_SECONDS)
        api.ready = True

    if first is not None:
        take_settings(first.sources())
    watch = Watch(store, first, take_settings, metrics.counter(names.SETTINGS_FAILURES))
    api.reread = watch.reread
    # A worker that takes the place of one that died begins with what is in force now.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch.look(), LOOK_SECONDS)
    getting_ready = asyncio.create_task(get_ready())
    if known.is_set():
        await getting_ready
    garbage.search_seldom()
    loop = asyncio.get_running_loop()
    told = _told_to_stop(loop)
    address = "{}:{}".format(*listening.getsockname()[:2])
    connections = Connections(options.http, now=loop.time())
    acceptor = Acceptor(listening, connections, lambda: HttpProtocol(api.handle, connections))

    def report() -> Report:
        return Report(api.draining, metrics.snapshot(), outcomes.sources, delivery.status())

    reporter = Reporter(metrics, emf_log(options.service), report, time.time)
    take = await _taker_of_reports(parent, status, told)
    background = [
        getting_ready,
        asyncio.create_task(_check(connections, outcomes, loop.time)),
        asyncio.create_task(watch.follow()),
        asyncio.create_task(reporter.run(take)),
    ]
    drainer = refuges.drainer(delivery, lambda: every_target(api.sources.values()))
    draining = asyncio.create_task(_drain(drainer, known)) if drainer is not None else None
    log.info("serving", extra={"address": address, "write_keys": len(api.sources)})
    await told[0].wait()
    api.draining = connections.draining = True
    log.info("draining", extra={"seconds": options.drain})
    await _first_of(told[1].wait(), asyncio.sleep(options.drain))
    acceptor.close()
    connections.close()
    # The second signal may come before this, or while what is open is waited for.
    hurrying = asyncio.create_task(_hurry(told[1], delivery))
    await delivery.settle_all()
    hurrying.cancel()
    if drainer is not None and draining is not None:
        draining.cancel()
        await drainer.close(GIVE_BACK_SECONDS)
    await refuges.close()
    for task in background:
        task.cancel()
    await delivery.close()
    await wire.close()
    connections.close()
    outcomes.report(math.inf)
    reporter.close()
    log.info("stopped")


async def _taker_of_reports(
    parent: socket.socket | None, status: socket.socket | None, told: tuple[asyncio.Event, asyncio.Event]
) -> Callable[[Report], None]:
    """Return what takes this process's reports: the parent, or a board of its own."""
    if parent is not None:

        def gone() -> None:
            # Nobody passes signals on any more, and the port is to be free for whoever comes next.
            log.error("the supervisor is gone, so this worker stops")
            for event in told:
                event.set()

        return (await Parent.connected(parent, gone)).take
    board, pid = Board(headgate.__version__), os.getpid()
    board.started(pid)
    if status is not None:
        StatusServer(status, asyncio.get_running_loop(), board.page)
    return lambda report: board.take(pid, report)


def _told_to_stop(loop: asyncio.AbstractEventLoop) -> tuple[asyncio.Event, asyncio.Event]:
    """Return an event for the first SIGTERM or SIGINT and one for the second."""
    first, second = asyncio.Event(), asyncio.Event()
    interrupted_at = float("-inf")

    def told(number: signal.Signals) -> None:
        nonlocal interrupted_at
        echo = number == signal.SIGINT and loop.time() - interrupted_at < ECHO_SECONDS
        if number == signal.SIGINT:
            interrupted_at = loop.time()
        if not echo:
            (second if first.is_set() else first).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    # A supervisor forks with both held back until somebody listens for them.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    return first, second


async def _drain(drainer: Drainer, known: asyncio.Event) -> None:
    # Without settings nobody knows the External IDs of what waits in the queue.
    await known.wait()
    await drainer.run()


async def _hurry(told: asyncio.Event, delivery: Delivery) -> None:
    await told.wait()
    delivery.hurry()


async def _first_of(*waiting: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(each) for each in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _check(connections: Connections, outcomes: Outcomes, now: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(1)
        connections.check(now())
        outcomes.report(now())
