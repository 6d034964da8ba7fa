"""The page *Destinations*: every source with its destinations, a page for each, and its history."""

from collections.abc import Sequence
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import desk_of
from headgate.console.destinations import changes, check
from headgate.console.destinations.asked import number_in
from headgate.console.destinations.source_paths import decoded
from headgate.console.destinations.view import BASICS, known_regions, one, view, view_of_new
from headgate.console.pages import page
from headgate.console.sources import Listed
from headgate.errors import UsageError
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.layout import Entry
from headgate.threads import in_thread

MOST_LISTED = 100
"""Sources on one page; a text narrows them down."""
HISTORY_ROWS = 20


async def show_all(request: Request) -> Response:
    """Return the page with every source."""
    desk = desk_of(request)
    wanted = request.query_params.get("q", "").strip()
    found = [each for each in await desk.listed() if _matches(each, wanted)]
    return page(
        request,
        "destination/all.html",
        **BASICS,
        found=found[:MOST_LISTED],
        many=len(found),
        wanted=wanted,
        can_change=desk.sources.table is not None,
    )


async def show(request: Request) -> Response:
    """Return the page of one destination."""
    desk = desk_of(request)
    source_id, place = request.path_params["source"], request.path_params["place"]
    known = await in_thread(lambda: known_regions(desk.session))
    listed = await in_thread(lambda: one(desk.sources, source_id))
    if listed is None or not 1 <= place <= len(listed.source.destinations):
        fault = f"there is no destination {place} of a source {source_id!r}"
        return page(request, "fault_page.html", status=404, fault=fault)
    run = check.runs_of(request).of(source_id, place)
    return page(
        request,
        "destination.html" if desk.sources.table is not None else "destination/read_only.html",
        **view(listed, place),
        regions=known,
        run=run if run is not None and not run.has_ended else None,
    )


async def show_new(request: Request) -> Response:
    """Return the page that adds a destination to a source, or a source."""
    desk = desk_of(request)
    if desk.sources.table is None:
        raise UsageError(f"nothing can be added here; the settings are changed in {desk.sources.name}")
    known = await in_thread(lambda: known_regions(desk.session))
    part = request.query_params.get("source")
    if part is None:
        return page(request, "destination/add.html", **view_of_new(), regions=known)
    listed = await in_thread(lambda: one(desk.sources, decoded(part)))
    if listed is None:
        raise UsageError(f"there is no source {decoded(part)!r}")
    place = len(listed.source.destinations) + 1
    return page(request, "destination/add.html", **view(listed, place), regions=known)


async def show_history(request: Request) -> Response:
    """Return a part of the history of a source, from one version back."""
    table = desk_of(request).sources.table
    if table is None:
        raise UsageError(f"{desk_of(request).sources.name} keeps no history; a table does")
    asked = request.query_params
    part, before = asked.get("source", ""), number_in(asked, "before") if "before" in asked else None
    entries = await in_thread(lambda: _entries(table, decoded(part), before))
    return page(
        request,
        "destination/history.html",
        **BASICS,
        part=part,
        entries=entries[:HISTORY_ROWS],
        has_more=len(entries) > HISTORY_ROWS,
        is_first=before is None,
    )


def _entries(table: SettingsTable, source_id: str, before: int | None) -> list[Entry]:
    return list(islice(table.history(source_id, before), HISTORY_ROWS + 1))


def _matches(listed: Listed, wanted: str) -> bool:
    source = listed.source
    texts = (source.id, source.name, *(each.stream_name for each in source.destinations))
    return any(wanted.casefold() in text.casefold() for text in texts)


routes: Sequence[Route] = (
    Route("/destinations", show_all),
    Route("/destinations/add", show_new),
    Route("/destinations/history", show_history),
    *changes.routes,
    *check.routes,
    Route("/destinations/{source:source}/{place:place}", show),
)
