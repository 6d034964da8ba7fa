"""The page *Overview*: whether it is delivering, and if not, what stands still."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import Desk
from headgate.console.feed import Stream
from headgate.console.overview import parts
from headgate.console.overview.amounts import duration
from headgate.console.overview.cloudwatch import CloudWatchFigures
from headgate.console.overview.figures import SERIES, Figures
from headgate.console.overview.observer import Observer
from headgate.console.overview.shard_load import STEP_SECONDS
from headgate.console.overview.standing import MEANINGS
from headgate.console.overview.status_page import StatusFigures
from headgate.console.overview.stream_loads import MOST_STREAMS, StreamLoads
from headgate.console.pages import page
from headgate.console.sources import every_stream
from headgate.console.sse import EventStream, told

_AT_LEAST_EVERY = 5.0
"""Seconds after which parts are made again though nobody has looked: shards are read on their own."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the page looks with."""

    observer: Observer
    loads: StreamLoads


@asynccontextmanager
async def observing(desk: Desk) -> AsyncIterator[Watch]:
    """Have somebody look at the forwarder for as long as the block lasts; nobody does until a page asks."""
    figures: Figures
    if (elsewhere := desk.options.cloudwatch) is not None:
        figures = CloudWatchFigures(desk.session, elsewhere.service, elsewhere.region, time.time)
    else:
        figures = StatusFigures(desk.options.status, desk.http, time.time)
    observer = Observer(figures, desk.listed)
    try:
        yield Watch(observer, StreamLoads(desk.feeds))
    finally:
        await observer.close()


async def show(request: Request) -> Response:
    """Return the page; all that has to be asked for comes later."""
    figures = _watch(request).observer.figures
    return page(
        request,
        "overview.html",
        figures=figures,
        plots=parts.PLOTS,
        states=MEANINGS,
        shards=_wants_shards(request),
        most_streams=MOST_STREAMS,
        span=duration(figures.span),
        interval=duration(figures.interval),
    )


async def follow(request: Request) -> Response:
    """Tell what the page shows, for as long as it is open."""
    return EventStream(_told(_watch(request), shards=_wants_shards(request)))


async def _told(watch: Watch, *, shards: bool) -> AsyncIterator[bytes]:
    observer, number, shown = watch.observer, 0, dict[str, str]()
    load = _Load(watch.loads)
    with observer.watched(), load.reading:
        while True:
            number, points = observer.history.after(number)
            if points:
                rows = [[each.at, *(getattr(each, name) for name in SERIES)] for each in points]
                yield told("points", _json({"names": SERIES, "rows": rows}))
            texts = parts.texts(observer, time.time())
            if shards and observer.listed is not None:
                texts = {**texts, **load.texts(_streams(observer), time.time())}
            for name, text in texts.items():
                if shown.get(name) != text:
                    shown[name] = text
                    yield told(name, text)
            await observer.changed(_AT_LEAST_EVERY)


class _Load:
    """What one open page is told of the load per shard, and has read for it."""

    def __init__(self, loads: StreamLoads) -> None:
        self.reading = ExitStack()
        self._loads = loads
        self._read: Sequence[Stream] | None = None
        self._step = 0.0

    def texts(self, streams: Sequence[Stream], now: float) -> Mapping[str, str]:
        """Return what there is to tell: nothing while the same step lasts."""
        if streams[:MOST_STREAMS] != self._read:
            self._read = streams[:MOST_STREAMS]
            self.reading.close()
            self.reading.enter_context(self._loads.reading(self._read))
            self._step = 0.0
        if now // STEP_SECONDS == self._step:
            return {}
        self._step = now // STEP_SECONDS
        return parts.load_texts(self._loads, streams, now)


def _streams(observer: Observer) -> Sequence[Stream]:
    """Return the streams that something is sent to."""
    enabled = [each for each in observer.listed or () if each.source.enabled]
    return every_stream(enabled, lambda destination: destination.enabled)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.observer
    return watch


def _wants_shards(request: Request) -> bool:
    return request.query_params.get("shards") == "1"


routes: Sequence[Route] = (Route("/", show), Route("/overview/events", follow))
