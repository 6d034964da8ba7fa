"""The page *Dead letters*: what could not be delivered, by reason; looked at, and sent again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import Desk
from headgate.console.inert import json_or_bytes
from headgate.console.letters.forms import Filters, filters_in, number_in
from headgate.console.letters.letterbox import Letterbox
from headgate.console.letters.progress import MOST_ROWS, figures, work_part
from headgate.console.letters.texts import ago, cut, group_row, instant_of, letter_row, where
from headgate.console.letters.work import Bundle, Looking, Work
from headgate.console.pages import fields_of, page, rendered
from headgate.console.sse import EventStream, told
from headgate.errors import UsageError
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.places import Place
from headgate.overflow.selection import Exactly, OfGroup
from headgate.overflow.summary import Group
from headgate.reading.filters import read_members
from headgate.reading.record import event_in

LETTERS_A_PAGE = 50
_TELL_EVERY_SECONDS = 0.3
Thing = TypeVar("Thing")


@asynccontextmanager
async def keeping(desk: Desk) -> AsyncIterator[Letterbox | None]:
    """Give what works with the letters for as long as the block lasts; None where none are named."""
    options = desk.options
    if options.dead_letter_queue is None and options.dead_letter_file is None:
        yield None
        return
    place = Place(options.dead_letter_queue, options.dead_letter_file)
    box = Letterbox(place, options.sources, desk.session)
    try:
        yield box
    finally:
        await box.close()


async def show(request: Request) -> Response:
    """Return the page."""
    box: Letterbox | None = request.app.state.letterbox
    if box is None:
        return page(request, "letters.html", place=None)
    filters = box.looked.filters if box.looked is not None else Filters()
    return page(
        request,
        "letters.html",
        place=cut(box.place.name),
        hides=box.place.hides,
        filters=filters,
        **({} if box.work is None else work_part(box.work)),
    )


async def found(request: Request) -> Response:
    """Return what was found in a queue the last time; a file is looked at."""
    box = _box(request)
    looked = box.looked
    if not box.place.hides:
        looked = await box.look_at_once(Filters() if looked is None else looked.filters)
    return _found(request, box, looked)


async def look(request: Request) -> Response:
    """Look at a file; begin to look into a queue."""
    box, filters = _box(request), filters_in(await fields_of(request))
    if box.place.hides:
        return _work(request, box.look(filters))
    return _found(request, box, await box.look_at_once(filters))


async def group(request: Request) -> Response:
    """Return a page of the letters of one group."""
    looked = _looked(request, request.query_params)
    place, chosen = _group(looked, request.query_params)
    letters = looked.of(chosen)
    pages = max(-(-len(letters) // LETTERS_A_PAGE), 1)
    number = min(number_in(request.query_params, "page", "page") or 1, pages)
    shown = letters[(number - 1) * LETTERS_A_PAGE : number * LETTERS_A_PAGE]
    return page(
        request,
        "letters/group.html",
        look=looked.number,
        group=place,
        row=group_row(chosen, datetime.now(UTC)),
        rows=[letter_row(at, each) for at, each in shown],
        kept=len(letters),
        of=chosen.records,
        number=number,
        pages=pages,
    )


async def letter(request: Request) -> Response:
    """Return one letter."""
    looked = _looked(request, request.query_params)
    place, chosen = _letter(looked, request.query_params)
    return page(
        request,
        "letters/letter.html",
        look=looked.number,
        place=place,
        where=where(chosen.origin),
        code=cut(chosen.code),
        reason=cut(chosen.message, 2_000),
        time=instant_of(chosen.time),
        ago=ago(chosen.time, datetime.now(UTC)),
        key=cut(chosen.partition_key, 2_000),
        size=f"{len(chosen.data):,}",
        message_id=cut(read_members(chosen.data).message_id or ""),
        is_event=event_in(chosen.data) is not None,
        content=json_or_bytes(chosen.data),
    )


async def count(request: Request) -> Response:
    """Begin a dry run of what was chosen."""
    box, form = _box(request), await fields_of(request)
    return _work(request, box.count(_bundle(_looked(request, form), form)))


async def send(request: Request) -> Response:
    """Begin to send what a dry run has counted."""
    form = await fields_of(request)
    return _work(request, _box(request).send(number_in(form, "count", "count")))


async def stop(request: Request) -> Response:
    """Have what is under way end in good order."""
    work = _box(request).work
    if work is not None:
        work.end()
    return page(request, "letters/stopping.html")


async def events(request: Request) -> Response:
    """Tell how far it is, until it is over."""
    work = _box(request).work
    if work is None:
        raise UsageError("nothing is under way")
    return EventStream(_progress(work))


async def _progress(work: Work) -> AsyncIterator[bytes]:
    last = ""
    while not work.over.is_set():
        said = rendered("letters/progress.html", **figures(work))
        if said != last:
            yield told("progress", said)
        last = said
        with suppress(TimeoutError):
            async with asyncio.timeout(_TELL_EVERY_SECONDS):
                await work.over.wait()
    yield told("ended", rendered("letters/work.html", **(work_part(work) | {"fresh": True})))


def _work(request: Request, work: Work) -> Response:
    return page(request, "letters/work.html", **(work_part(work) | {"focused": True}))


def _found(request: Request, box: Letterbox, looked: Looking | None) -> Response:
    now = datetime.now(UTC)
    groups = looked.groups if looked is not None else []
    return page(
        request,
        "letters/found.html",
        hides=box.place.hides,
        looked=looked,
        stale=box.stale,
        anew=not box.place.hides or looked is box.work,
        ago=ago(looked.at, now) if looked is not None else "",
        said=cut(looked.filters.said, 2_000) if looked is not None else "",
        rows=[group_row(each, now) for each in groups[:MOST_ROWS]],
        more_groups=max(len(groups) - MOST_ROWS, 0),
    )


def _box(request: Request) -> Letterbox:
    box: Letterbox | None = request.app.state.letterbox
    if box is None:
        raise UsageError("no dead letters are named; give --dead-letter-queue or --dead-letter-file")
    return box


def _looked(request: Request, asked: Mapping[str, str]) -> Looking:
    looked = _box(request).looked
    if looked is None or looked.number != number_in(asked, "look", "look"):
        raise UsageError("the letters were looked at anew since; look again")
    return looked


def _group(looked: Looking, asked: Mapping[str, str]) -> tuple[int, Group]:
    place = number_in(asked, "group", "group") or 0
    return place, _nth(looked.groups, place, "group")


def _letter(looked: Looking, asked: Mapping[str, str]) -> tuple[int, DeadLetter]:
    place = number_in(asked, "letter", "letter") or 0
    return place, _nth(looked.letters, place, "letter")


def _nth(of: Sequence[Thing], place: int, name: str) -> Thing:
    if not 0 < place <= len(of):
        raise UsageError(f"there is no such {name}; look again")
    return of[place - 1]


def _bundle(looked: Looking, form: Mapping[str, str]) -> Bundle:
    """Return which letters are to be sent again: one, those of a group, or all that the filters leave."""
    most, per_second = number_in(form, "most", "At most"), number_in(form, "per_second", "Records a second")
    if form.get("letter"):
        _, letter = _letter(looked, form)
        return Bundle(
            asked=Exactly(letter),
            said=f"one letter of {where(letter.origin).name}: {cut(letter.code)}",
            most=1,
        )
    filtered = cut(looked.filters.said, 2_000)
    if form.get("group"):
        _, group = _group(looked, form)
        said = f"{where(group.origin).name}: {cut(group.code)}" + (f"; {filtered}" if filtered else "")
        asked = OfGroup(looked.selection, group.origin, group.code)
        return Bundle(asked=asked, said=said, most=most, per_second=per_second)
    return Bundle(asked=looked.selection, said=filtered or "all letters", most=most, per_second=per_second)


routes: Sequence[Route] = (
    Route("/letters", show),
    Route("/letters/found", found),
    Route("/letters/look", look, methods=["POST"]),
    Route("/letters/group", group),
    Route("/letters/letter", letter),
    Route("/letters/count", count, methods=["POST"]),
    Route("/letters/send", send, methods=["POST"]),
    Route("/letters/stop", stop, methods=["POST"]),
    Route("/letters/events", events),
)
