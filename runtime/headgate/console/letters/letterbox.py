"""The dead letters as the console works with them: looked at, counted and sent again, one thing at a time.

What was begun goes on without the page that began it, and ends in good order with the console: a letter
leaves its store only after Kinesis said yes, and what was hidden meanwhile is given back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from botocore.session import Session

from headgate.console.letters.forms import Filters
from headgate.console.letters.work import Bundle, Counting, Looking, Sending, Work
from headgate.errors import HeadgateError, UsageError
from headgate.overflow.origin import origin_of
from headgate.overflow.places import Place
from headgate.overflow.redrive import look, redrive
from headgate.overflow.sending import PATIENCE_SECONDS, sending
from headgate.overflow.stores import Store
from headgate.settings.targets import targets_at
from headgate.threads import in_thread

log = logging.getLogger(__name__)

END_WITHIN = 3 * PATIENCE_SECONDS
"""Seconds that the end of the console waits for what is under way to end in good order."""


AnyWork = TypeVar("AnyWork", bound=Work)


class Letterbox:
    """A store of dead letters, and what is done with it. On the event loop alone.

    Args:
        place: where the letters are.
        sources: where the sources are, whose Secret IDs are sent when roles are assumed.
        session: with the operator's credentials.
        patience: seconds after a stop for which Kinesis' answers are waited for.
    """

    def __init__(
        self, place: Place, sources: str, session: Session, *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.place = place
        self.work: Work | None = None
        """What is under way, or was last."""
        self.looked: Looking | None = None
        """What was found the last time."""
        self.stale = False
        """Whether letters were sent since then."""
        self._sources = sources
        self._session = session
        self._patience = patience
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    async def look_at_once(self, filters: Filters) -> Looking:
        """Look at a file: nobody is kept from it meanwhile.

        Raises:
            UsageError: a filter is none.
            HeadgateError: the file cannot be read.
        """
        looking = self._looking(filters)
        with self.place.faults_in_one_line():
            try:
                await self._look(looking)
            except FileNotFoundError:
                made = "the forwarder makes it with its first dead letter"
                raise HeadgateError(f"{self.place.name}: there is no such file; {made}") from None
        return looking

    def look(self, filters: Filters) -> Looking:
        """Begin to look.

        Raises:
            UsageError: a filter is none, or something else is under way.
        """
        return self._begin(self._looking(filters), self._look)

    def count(self, bundle: Bundle) -> Counting:
        """Begin a dry run.

        Raises:
            UsageError: something else is under way.
        """
        return self._begin(Counting(number=self._next(), bundle=bundle), self._count)

    def send(self, number: int | None) -> Sending:
        """Begin to send what a dry run has counted, and no more letters than it did.

        Args:
            number: that of the dry run, which has to be the last thing that was done.

        Raises:
            UsageError: it is not, or something else is under way.
        """
        self._refuse_two()
        counted = self.work
        if not isinstance(counted, Counting) or counted.number != number or counted.fault is not None:
            raise UsageError("that dry run is no longer the last; make another one, and send what it tells")
        bundle = Bundle(
            asked=counted.bundle.asked,
            said=counted.bundle.said,
            most=counted.records,
            per_second=counted.bundle.per_second,
        )
        return self._begin(Sending(number=self._next(), bundle=bundle), self._send)

    async def close(self) -> None:
        """End what is under way, in good order if that is possible in time."""
        if self.work is None or self._task is None:
            return
        self.work.end()
        await asyncio.wait([self._task], timeout=END_WITHIN)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _looking(self, filters: Filters) -> Looking:
        now = datetime.now(UTC)
        return Looking(number=self._next(), filters=filters, selection=filters.selection(now), at=now)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _refuse_two(self) -> None:
        if self.work is not None and not self.work.over.is_set():
            raise UsageError(f"{self.work.doing}: stop that, or wait until it has ended")

    def _begin(self, work: AnyWork, do: Callable[[AnyWork], Awaitable[None]]) -> AnyWork:
        self._refuse_two()
        self.work = work
        self._task = asyncio.create_task(self._done(work, do(work)))
        return work

    async def _done(self, work: Work, doing: Awaitable[None]) -> None:
        try:
            with self.place.faults_in_one_line():
                await doing
        except HeadgateError as fault:
            work.fault = str(fault)
        except Exception as fault:
            log.exception("dead letters cannot be worked with")
            work.fault = f"it ended in a way nobody foresaw: {type(fault).__name__}"
        finally:
            work.over.set()

    async def _look(self, looking: Looking) -> None:
        async with await self._store() as store:
            await _know_total(looking, store)
            async for each in look(store, looking.selection, looking.stop, progress=looking.advance):
                looking.see(each)
                # Whoever is kept from a queue's letters should not be for more than anybody can open.
                if looking.full and self.place.hides:
                    looking.stop.set()
        self.looked, self.stale = looking, False

    async def _count(self, counting: Counting) -> None:
        targets = await in_thread(partial(targets_at, self._sources, self._session))
        counting.origins = frozenset(map(origin_of, targets))
        asked, most = counting.bundle.asked, counting.bundle.most
        async with await self._store() as store:
            await _know_total(counting, store)
            async for each in look(store, asked, counting.stop, most=most, progress=counting.advance):
                counting.summary.add(each)

    async def _send(self, work: Sending) -> None:
        bundle = work.bundle
        targets = await in_thread(partial(targets_at, self._sources, self._session))
        store = await self._store(bundle.per_second)
        ours = sending(
            self._session,
            targets,
            work.tally,
            work.stop,
            per_second=bundle.per_second,
            patience=self._patience,
        )
        async with ours as sender, store:
            await _know_total(work, store)
            self.stale = True
            await redrive(store, sender, bundle.asked, work.stop, most=bundle.most, progress=work.advance)

    async def _store(self, per_second: int | None = None) -> Store:
        return await in_thread(partial(self.place.store, self._session, per_second))


async def _know_total(work: Work, store: Store) -> None:
    work.unit, work.total = store.unit, await store.total()
