"""What the pages of destinations change in a table. Each answer is parts, which htmx puts where they belong.

What is refused leaves the form as it is: no field of it comes back, so nothing that was typed is lost.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import desk_of
from headgate.console.destinations.asked import Asked, asked_of, part_of
from headgate.console.destinations.settings_change import Done, Faulty, Make, Stale, change
from headgate.console.destinations.settings_form import (
    FORMS,
    GENERAL,
    faults_of,
    is_left_empty,
    list_value,
    made_of,
    unlike,
)
from headgate.console.destinations.view import BASICS, known_regions, view
from headgate.console.pages import fields_of, page
from headgate.console.sources import listed_of
from headgate.errors import AwsError, HeadgateError, SettingsError, UsageError
from headgate.settings.table.editing import Assignment, edited, without
from headgate.settings.table.layout import Kept
from headgate.settings.table.opened import OpenTable
from headgate.settings.table.stored import StoredSource
from headgate.threads import in_thread

_WRONG, _CONFLICT, _REFUSED_BY_AWS = 422, 409, 502

Handler = Callable[[Request, OpenTable, Asked], Awaitable[Response]]


def _changing(handle: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that tells a handler what a form asks, and says by the form why it was refused."""

    @wraps(handle)
    async def handled(request: Request) -> Response:
        form, sources = await fields_of(request), desk_of(request).sources
        at = part_of(form)
        try:
            if sources.opened is None:
                raise UsageError(f"nothing is changed here; the settings are changed in {sources.name}")
            return await handle(request, sources.opened, asked_of(form))
        except Faulty as wrong:
            return _said(request, at, _WRONG, faults=wrong.faults)
        except SettingsError as error:
            if error.field in FORMS.get(at, ()):
                return _said(request, at, _WRONG, faults={error.field: error.problem})
            return _said(request, at, _WRONG, fault=str(error))
        except HeadgateError as fault:
            status = _REFUSED_BY_AWS if isinstance(fault, AwsError) else _WRONG
            return _said(request, at, status, fault=str(fault))

    return handled


@_changing
async def tell_faults(request: Request, opened: OpenTable, asked: Asked) -> Response:
    """Return a line for each field of a form: what is wrong with it, or nothing."""
    session = desk_of(request).session
    try:
        faults = await in_thread(lambda: _faults(opened, asked, known_regions(session)))
    except HeadgateError as fault:
        return page(request, "destination/lines.html", at=asked.at, lines={}, unchecked=str(fault))
    changed = request.headers.get("hx-trigger-name", "").partition(".")[0]
    # What is yet to be filled in is told of the field that somebody is at, and when all is to be saved.
    lines = {
        name: faults.get(name, "")
        for name in FORMS.get(asked.at, ())
        if name == changed or name not in faults or not is_left_empty(asked.form, name)
    }
    return page(
        request, "destination/lines.html", at=asked.at, lines=lines, unchecked=faults.get(GENERAL, "")
    )


@_changing
async def save(request: Request, opened: OpenTable, asked: Asked) -> Response:
    """Save a destination, a source's own fields, or a new source with its first destination."""
    if asked.at not in ("destination", "source", "new"):
        raise UsageError("the form has no fields to save; load the page anew")
    regions = await in_thread(lambda: known_regions(desk_of(request).session))

    def make(before: StoredSource | None) -> StoredSource:
        edit = asked.edit(before)
        if faults := faults_of(asked.form, edit, regions):
            raise Faulty(faults)
        return made_of(asked.form, edit)

    if not asked.version:
        make(None)  # an ID that cannot be one is not looked for in the table
    came = await _came_of(opened, asked, make)
    if isinstance(came, Stale):
        return _too_late(request, asked, came)
    if asked.place == "new":
        listed = listed_of(_there(came))
        place = len(listed.source.destinations)
        return _said(request, asked.at, done=came, more="added", **view(listed, place))
    return _after(request, asked, came)


@_changing
async def change_write_keys(request: Request, opened: OpenTable, asked: Asked) -> Response:
    """Add a write key to a source, or remove one."""
    removed = asked.form.get("remove")
    given = list_value([(removed or asked.form.get("write_keys", "")).strip()])
    wanted = Assignment("write_keys", "-=" if removed else "+=", given)
    came = await _came_of(opened, asked, lambda before: _edited(before, asked, wanted))
    if isinstance(came, Stale):
        return _too_late(request, asked, came)
    return _after(request, asked, came)


@_changing
async def switch(request: Request, opened: OpenTable, asked: Asked) -> Response:
    """Enable or disable a source, in the list."""
    wanted = Assignment("enabled", "=", "true" if asked.form.get("enabled") == "true" else "false")
    came = await _came_of(opened, asked, lambda before: _edited(before, asked, wanted))
    if isinstance(came, Stale):
        return _too_late(request, asked, came)
    listed = listed_of(_there(came))
    return _said(request, asked.at, done=came, more="after_switch", listed=listed, can_change=True)


@_changing
async def remove(request: Request, opened: OpenTable, asked: Asked) -> Response:
    """Remove a destination, or a source with all of its own."""

    def make(before: StoredSource | None) -> StoredSource | None:
        edit = asked.edit(before)
        if asked.at == "discard":
            return None
        if edit.before is None or edit.place is None:
            raise UsageError("the form names no destination to remove; load the page anew")
        return without(edit.before, f"#{edit.place}")

    came = await _came_of(opened, asked, make)
    if isinstance(came, Stale):
        return _too_late(request, asked, came)
    return _said(request, asked.at, done=came, more="removed", source_id=asked.source_id)


async def _came_of(opened: OpenTable, asked: Asked, make: Make) -> Done | Stale:
    return await in_thread(lambda: change(opened, asked.source_id, asked.version, make))


def _edited(before: StoredSource | None, asked: Asked, wanted: Assignment) -> StoredSource:
    edit = asked.edit(before)
    return edited(edit.source_id, edit.before, [wanted])


def _faults(opened: OpenTable, asked: Asked, regions: Sequence[str]) -> Mapping[str, str]:
    if asked.version:
        kept = opened.table.source(asked.source_id)
        return faults_of(asked.form, asked.edit(kept.source if kept is not None else None), regions)
    faults = faults_of(asked.form, asked.edit(None), regions)
    if "id" not in faults and opened.table.source(asked.source_id) is not None:
        faults["id"] = _taken(asked)
    return faults


def _too_late(request: Request, asked: Asked, stale: Stale) -> Response:
    """Return what others have changed meanwhile; of a form of fields, what it would be to go on."""
    if not asked.version:
        return _said(request, asked.at, _CONFLICT, faults={"id": _taken(asked)})
    is_form = asked.at in ("destination", "source") and stale.kept is not None
    edit = asked.edit(stale.kept.source) if is_form and stale.kept is not None else None
    return _said(
        request,
        asked.at,
        _CONFLICT,
        stale=stale,
        asked=asked,
        edit=edit,
        unlike=unlike(asked.form, edit) if edit is not None else (),
    )


def _after(request: Request, asked: Asked, done: Done) -> Response:
    """Return what is other on the page of a destination after a change."""
    listed = listed_of(_there(done))
    place = min(asked.looked_at, len(listed.source.destinations))
    went_on = "over" in asked.form
    return _said(request, asked.at, done=done, more="after", went_on=went_on, **view(listed, place))


def _taken(asked: Asked) -> str:
    return f"there is a source {asked.source_id!r} already; add a destination to it, or give another ID"


def _there(done: Done) -> Kept:
    """Return the source after a change that does not remove it."""
    assert done.kept is not None  # noqa: S101
    return done.kept


def _said(request: Request, at: str, status: int = 200, **what: Any) -> Response:
    """Return what came of a change, to be put where its form says such things."""
    nothing = {"fault": None, "faults": None, "stale": None, "done": None, "more": None, "went_on": False}
    values = {**BASICS, **nothing, "at": at, "names": FORMS.get(at, ()), **what}
    answer = page(request, "destination/answer.html", status=status, **values)
    if what.get("done") is not None:
        answer.headers["HX-Trigger"] = "settings-saved"
    return answer


routes: Sequence[Route] = (
    Route("/destinations/faults", tell_faults, methods=["POST"]),
    Route("/destinations/save", save, methods=["POST"]),
    Route("/destinations/write-keys", change_write_keys, methods=["POST"]),
    Route("/destinations/switch", switch, methods=["POST"]),
    Route("/destinations/remove", remove, methods=["POST"]),
)
