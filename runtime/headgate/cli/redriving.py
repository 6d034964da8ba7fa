"""What `headgate redrive` does once it is clear what is asked: a store is opened, and looked at or sent."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import typer
from botocore.session import Session

from headgate.cli.letters import progress, show_groups, show_letter, show_plan
from headgate.cli.output import ended_by_its_reader
from headgate.clients import own_session
from headgate.delivery.target import Target
from headgate.errors import INTERRUPTED, HeadgateError
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import origin_of
from headgate.overflow.places import Place
from headgate.overflow.queue import QueueFault
from headgate.overflow.redrive import Tally, look, redrive
from headgate.overflow.selection import Selection
from headgate.overflow.sending import PATIENCE_SECONDS, sending
from headgate.overflow.stores import Store
from headgate.overflow.summary import Summary
from headgate.settings.targets import targets_at


def listed(place: Place, asked: Selection, most: int | None) -> None:
    """List what is asked for."""
    summary = Summary()
    with place.faults_in_one_line(), ended_by_its_reader():
        interrupted = _look(place.store(own_session()), asked, most, summary.add)
        show_groups(summary, datetime.now(UTC))
        _end(interrupted, "the list is of what was read so far")


def planned(place: Place, asked: Selection, sources: str, most: int | None) -> None:
    """Tell what would be sent where."""
    summary = Summary()
    session = own_session()
    with place.faults_in_one_line(), ended_by_its_reader():
        origins = {origin_of(each) for each in targets_at(sources, session)}
        interrupted = _look(place.store(session), asked, most, summary.add)
        show_plan(summary, origins.__contains__)
        _end(interrupted, "this is of what was read so far")


def shown(place: Place, asked: Selection, number: int, named: str) -> None:
    """Show one letter, the `number`-th of those that are asked for."""
    found: list[DeadLetter] = []
    with place.faults_in_one_line(), ended_by_its_reader():
        interrupted = _look(place.store(own_session()), asked, number, found.append)
        if len(found) == number:
            show_letter(found[-1], datetime.now(UTC))
        _end(interrupted, "nothing was changed")
        if len(found) < number:
            many = f"{len(found)} {'was' if len(found) == 1 else 'were'} found of what was asked for"
            raise HeadgateError(f"--show: there is no {named!r}; {many}")


def sent(place: Place, asked: Selection, sources: str, most: int | None, per_second: int | None) -> None:
    """Send what is asked for, and tell what came of it."""
    session = own_session()
    tally = Tally()
    with place.faults_in_one_line(), ended_by_its_reader():
        targets = targets_at(sources, session)
        store = place.store(session, per_second)
        # What delivery would log is told at the end, once for each destination and reason.
        logging.getLogger("headgate").setLevel(logging.CRITICAL)
        try:
            interrupted = _until_done(
                lambda stop: _send(session, store, asked, targets, tally, stop, per_second, most)
            )
        except (OSError, QueueFault):
            if tally.sent or tally.kept:
                _tell(tally)
            raise
        _tell(tally)
        _end(interrupted, "what was not sent is where it was, and the same command goes on")
        if tally.kept or tally.unreadable or tally.stuck:
            raise typer.Exit(1)


async def _send(
    session: Session,
    store: Store,
    asked: Selection,
    targets: set[Target],
    tally: Tally,
    stop: asyncio.Event,
    per_second: int | None,
    most: int | None,
) -> None:
    sender_of = sending(session, targets, tally, stop, per_second=per_second, patience=PATIENCE_SECONDS)
    async with sender_of as sender, store:
        with progress(store.unit, await _total(store), lambda: _counts(tally)) as seen:
            await redrive(store, sender, asked, stop, most=most, progress=seen)


def _look(store: Store, asked: Selection, most: int | None, see: Callable[[DeadLetter], None]) -> bool:
    """Look at letters; return whether that was interrupted."""

    async def work(stop: asyncio.Event) -> None:
        async with store:
            with progress(store.unit, await _total(store), lambda: "looking") as seen:
                async for each in look(store, asked, stop, most=most, progress=seen):
                    see(each)

    logging.getLogger("headgate").setLevel(logging.CRITICAL)
    return _until_done(work)


def _until_done(work: Callable[[asyncio.Event], Awaitable[None]]) -> bool:
    """Do some work, which Ctrl-C has stop in good order; return whether it did. Once more ends it at once."""

    async def main() -> bool:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            stop.set()
            loop.remove_signal_handler(signal.SIGINT)

        loop.add_signal_handler(signal.SIGINT, interrupt)
        await work(stop)
        return stop.is_set()

    return asyncio.run(main())


async def _total(store: Store) -> int | None:
    """Return what a progress bar counts to, where somebody sees it: a queue has to be asked."""
    return await store.total() if sys.stderr.isatty() else None


def _counts(tally: Tally) -> str:
    return f"{tally.sent} sent, {tally.kept.total() + tally.unreadable} kept"


def _tell(tally: Tally) -> None:
    typer.echo(_counts(tally))
    for (destination, code, reason), count in sorted(tally.kept.items()):
        typer.echo(f"{count} of {destination} kept: {code}: {reason}", err=True)
    if tally.unreadable:
        typer.echo(f"{tally.unreadable} kept: nobody can read where they were bound for", err=True)
    if tally.stuck:
        typer.echo(f"{tally.stuck} were sent and could not be removed: they will be sent again", err=True)


def _end(interrupted: bool, said: str) -> None:
    if interrupted:
        typer.echo(f"headgate: interrupted: {said}", err=True)
        raise typer.Exit(INTERRUPTED)
