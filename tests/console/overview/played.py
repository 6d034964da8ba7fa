"""A forwarder's status page, played: what a real board shows of the figures that a test gives it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from headgate.console.overview.status_page import StatusPage
from headgate.metrics.histogram import bucket_of
from headgate.metrics.snapshot import Figures, Snapshot
from headgate.status.board import Board
from headgate.status.report import DestinationStatus, Pause, Report, SourceStatus

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def page(
    uptime: float = 100,
    *,
    accepted: int = 0,
    delivered: int = 0,
    held: int = 0,
    oldest: float = 0.0,
    latencies: dict[float, int] | None = None,
    paused: Pause | None = None,
    draining: bool = False,
    rejected: dict[str, int] | None = None,
    source: str = "web",
    stream: str = "events",
    more: dict[str, int] | None = None,
) -> bytes:
    """Return the page of one worker with one source and one destination.

    Args:
        latencies: how many times each took, of requests and of puts alike.
        more: further counters of the destination.
    """
    now = START
    board = Board("1.2.3", now=lambda: now)
    board.started(7)
    now += timedelta(seconds=uptime)
    name, buckets = f"{source}/{stream}", {bucket_of(value): n for value, n in (latencies or {}).items()}
    gauges = {"HeldRecords": float(held), "HeldBytes": held * 100.0, "OldestRecordAge": oldest}
    of_destination = Figures({"DeliveredRecords": delivered} | (more or {}), gauges, {"PutLatency": buckets})
    of_service = Figures(
        {"AcceptedEvents": accepted, "SettingsFailures": 0}, {}, {"AcknowledgementLatency": buckets}
    )
    board.take(
        7,
        Report(
            draining,
            Snapshot(of_service, {name: of_destination}),
            {source: SourceStatus(accepted, rejected or {})},
            {name: DestinationStatus(endpoint="https://kinesis", wire="cbor", paused=paused)},
        ),
    )
    return board.page(buckets=True)


def decoded(shown: bytes) -> StatusPage:
    return msgspec.json.decode(shown, type=StatusPage)


def changed(shown: bytes, **members: Any) -> bytes:
    """Return a page with other members."""
    return json.dumps(json.loads(shown) | members).encode()


class Forwarder:
    """Answers `/statusz` with what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.answer: Callable[[], Awaitable[web.StreamResponse]] = self.gone
        self._runner: web.AppRunner | None = None

    def shows(self, shown: bytes, status: int = 200) -> None:
        """Answer so from now on."""

        async def answer() -> web.StreamResponse:
            return web.Response(body=shown, status=status)

        self.answer = answer

    async def gone(self) -> web.StreamResponse:
        """Answer nothing, as a forwarder that has just died."""
        raise web.HTTPBadGateway

    async def start(self, port: int = 0) -> int:
        """Listen, at the port of before if it is given."""
        app = web.Application()
        app.router.add_get("/statusz", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/statusz"
        return port

    async def stop(self) -> None:
        """Be gone."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        return await self.answer()


@asynccontextmanager
async def playing() -> AsyncIterator[Forwarder]:
    """Play one for as long as the block lasts."""
    forwarder = Forwarder()
    await forwarder.start()
    try:
        yield forwarder
    finally:
        await forwarder.stop()


async def until(holds: Callable[[], bool], within: float = 10.0) -> None:
    """Return once something holds."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.01)
