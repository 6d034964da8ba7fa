"""The page *Live events*: what comes into a stream, as it comes."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from headgate.console.desk import Desk, desk_of
from headgate.console.feed import Stream
from headgate.console.inert import inert
from headgate.console.live.views import MOST_ROWS, TICK_SECONDS, News, Status, View, Views
from headgate.console.pages import page, rendered
from headgate.console.records import details_of, row_of
from headgate.console.sources import Listed, every_stream
from headgate.console.sse import EventStream, told
from headgate.errors import UsageError
from headgate.reading.filters import filter_by
from headgate.settings.schema import CALL_TYPES

_FILTERS = {
    "type": "type",
    "event": "event",
    "userId": "user_id",
    "messageId": "message_id",
    "source": "project_id",
}
"""Filters by their names in the URL, and the members of an event that they look at."""
_CHOSEN = "at"
"""What the form calls a stream: its region and its name, with a slash between."""
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True)
class _Asked:
    """What a URL asks for."""

    listed: Sequence[Listed]
    streams: Sequence[Stream]
    stream: Stream
    filters: Mapping[str, str]

    @property
    def query(self) -> str:
        """The query of the URL that asks for it."""
        return _query(self.stream, self.filters)

    def view(self, desk: Desk) -> View:
        """Return how a page begins."""
        wanted = {_FILTERS[name]: [value] for name, value in self.filters.items()}
        return View(desk.feeds.of(self.stream), filter_by(wanted))


async def show(request: Request) -> Response:
    """Return the page."""
    given = request.query_params
    if _CHOSEN in given or "" in given.values():
        return _as_bookmarked(request)
    asked = await _asked(request)
    if asked is None:
        return page(request, "live.html", asked=None)
    view_id = secrets.token_urlsafe(8)
    _views(request).get_or_make(request.state.session, view_id, lambda: asked.view(desk_of(request)))
    return page(
        request,
        "live.html",
        asked=asked,
        view_id=view_id,
        calls=CALL_TYPES,
        most_rows=MOST_ROWS,
        most_characters=_MOST_CHARACTERS,
    )


async def events(request: Request) -> Response:
    """Return what comes, as a page shows it."""
    asked = await _asked(request)
    if asked is None:
        return _forgotten(request)
    view = _views(request).get_or_make(
        request.state.session, request.query_params.get("view", ""), lambda: asked.view(desk_of(request))
    )
    return EventStream(_tell(view, request.query_params.get("view", "")))


async def pause(request: Request) -> Response:
    """Show nothing on a page until it goes on."""
    if (view := _view(request)) is None:
        return _forgotten(request)
    view.pause()
    return _pausing(request, view)


async def resume(request: Request) -> Response:
    """Let a page go on."""
    if (view := _view(request)) is None:
        return _forgotten(request)
    view.resume()
    return _pausing(request, view)


async def clear(request: Request) -> Response:
    """Take the rows away that a page shows."""
    if (view := _view(request)) is not None:
        view.clear()
    return HTMLResponse("")


async def record(request: Request) -> Response:
    """Return one record, whole."""
    number = request.path_params["number"]
    view = _view(request)
    seen = view.feed.seen(number) if view is not None else None
    details = details_of(seen) if seen is not None else None
    return page(request, "live/record.html", number=number, details=details)


async def _asked(request: Request) -> _Asked | None:
    """Return what the URL asks for; None where the settings have no stream yet.

    Raises:
        UsageError: it asks for what cannot be.
        SettingsError, AwsError: see `Desk.listed`.
    """
    listed, given = await desk_of(request).listed(), request.query_params
    streams = every_stream(listed)
    if not streams:
        return None
    region, name = given.get("region"), given.get("stream")
    found = [each for each in streams if region in (None, "", each.region) and name in (None, "", each.name)]
    if not found:
        asked = f"{inert(name or 'any', 128)!r} in {inert(region or 'any region', 32)}"
        raise UsageError(f"no destination has the stream {asked}")
    filters = {key: given[key] for key in _FILTERS if given.get(key)}
    if filters.get("type", "track") not in CALL_TYPES:
        raise UsageError(f"type is {inert(filters['type'], 32)!r}; allowed: {', '.join(CALL_TYPES)}")
    for key, value in filters.items():
        if len(value) > _MOST_CHARACTERS:
            raise UsageError(f"{key} has {len(value):,} characters; allowed: {_MOST_CHARACTERS:,}")
    return _Asked(listed, streams, found[0], filters)


def _as_bookmarked(request: Request) -> Response:
    """Return the way to the URL that asks for the same as a form did, without what it left empty."""
    given = dict(request.query_params)
    region, _, name = given.pop(_CHOSEN, "").partition("/")
    stream = Stream(region or given.get("region", ""), name or given.get("stream", ""))
    return RedirectResponse(f"/live?{_query(stream, given)}", 303)


def _query(stream: Stream, filters: Mapping[str, str]) -> str:
    given = {"region": stream.region, "stream": stream.name} | {
        key: filters[key] for key in _FILTERS if filters.get(key)
    }
    return urlencode({key: value for key, value in given.items() if value})


async def _tell(view: View, view_id: str) -> AsyncIterator[bytes]:
    """Tell a page what comes, while it is there."""
    before: tuple[Status | None, str | None] = (None, "")
    with view.feed.listening():
        while True:
            await view.going()
            news = view.tick(time.monotonic())
            for event in _said(view, view_id, news, before):
                yield event
            before = view.status, view.feed.fault
            await asyncio.sleep(TICK_SECONDS)


def _said(view: View, view_id: str, news: News, before: tuple[Status | None, str | None]) -> Iterator[bytes]:
    status, fault = before
    if news.rows or news.gap:
        rows = [row_of(each) for each in news.rows]
        yield told("rows", rendered("live/rows.html", rows=rows, news=news, view_id=view_id))
    if view.status != status:
        yield told("status", rendered("live/status.html", status=view.status))
    if view.feed.fault != fault:
        yield told("fault", rendered("live/fault.html", fault=view.feed.fault))


def _views(request: Request) -> Views:
    views: Views = request.app.state.views
    return views


def _view(request: Request) -> View | None:
    return _views(request).get(request.state.session, request.query_params.get("view", ""))


def _pausing(request: Request, view: View) -> Response:
    return page(
        request, "live/pause.html", paused=view.paused, view_id=request.query_params["view"], answers=True
    )


def _forgotten(request: Request) -> Response:
    return page(request, "fault.html", status=404, fault="the console has forgotten this page; load it anew")


routes: Sequence[Route] = (
    Route("/live", show),
    Route("/live/events", events),
    Route("/live/pause", pause, methods=["POST"]),
    Route("/live/resume", resume, methods=["POST"]),
    Route("/live/clear", clear, methods=["POST"]),
    Route("/live/record/{number:int}", record),
)
