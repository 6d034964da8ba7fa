"""The check of a destination: begun by a page, and told to it step by step."""

from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.checking.check import Check
from headgate.checking.outcomes import Step
from headgate.console.desk import Desk, desk_of
from headgate.console.destinations.asked import number_in
from headgate.console.destinations.check_runs import CheckRuns, Run
from headgate.console.destinations.source_paths import decoded
from headgate.console.destinations.view import one
from headgate.console.pages import fields_of, page, rendered
from headgate.console.sse import EventStream, told
from headgate.errors import UsageError
from headgate.settings.schema import Destination, Source
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.stored import StoredSource, opened


def runs_of(request: Request) -> CheckRuns:
    """Return the checks of the console that was asked."""
    state = request.app.state
    if not hasattr(state, "check_runs"):
        state.check_runs = CheckRuns()
    runs: CheckRuns = state.check_runs
    return runs


async def begin(request: Request) -> Response:
    """Begin a check, unless one of the same destination is under way; return what follows it."""
    fields, desk = await fields_of(request), desk_of(request)
    source_id, place = decoded(fields.get("source", "")), number_in(fields, "place")

    def make(begin_step: Callable[[str], object], end_step: Callable[[Step], object]) -> None:
        source, destination = _whole(desk, source_id, place)
        check = Check(desk.session, source, destination, put_too="put" in fields)
        for step in check.steps(begin_step):
            end_step(step)

    return page(request, "destination/check.html", run=runs_of(request).begin(source_id, place, make))


async def follow(request: Request) -> Response:
    """Return a check's steps as they come, until it has ended."""
    run = runs_of(request).find(request.query_params.get("run", ""))
    if run is None:
        return EventStream(_gone())
    return EventStream(_told(run))


async def _told(run: Run) -> AsyncIterator[bytes]:
    async for each in run.progress():
        # All of them each time: whoever comes back after a break sees no step twice.
        yield told("steps", rendered("destination/steps.html", run=each))
        yield told("state", rendered("destination/check_state.html", run=each))
    yield told("end", "")


async def _gone() -> AsyncIterator[bytes]:
    yield told("state", "This check is forgotten; begin another.")
    yield told("end", "")


def _whole(desk: Desk, source_id: str, place: int) -> tuple[Source, Destination]:
    """Return a destination with its Secret ID, and its source with no other destination.

    Raises:
        UsageError: there is no such destination any more.
        AwsError: the settings cannot be read, or the Secret ID may not be decrypted.
    """
    listed = one(desk.sources, source_id)
    if listed is None or not 1 <= place <= len(listed.source.destinations):
        raise UsageError(f"there is no destination {place} of a source {source_id!r} any more")
    source = listed.source
    if isinstance(source, StoredSource) and desk.sources.table is not None:
        table = desk.sources.table
        # Nothing that is decrypted is kept: with the check this goes too.
        sealing = Sealing(desk.session, table.region, about=table.name)
        alone = replace(source, destinations=(source.destinations[place - 1],))
        source = opened(alone, sealing.decrypt)
        return source, source.destinations[0]
    return source, source.destinations[place - 1]


routes: Sequence[Route] = (
    Route("/destinations/check", begin, methods=["POST"]),
    Route("/destinations/check/steps", follow),
)
