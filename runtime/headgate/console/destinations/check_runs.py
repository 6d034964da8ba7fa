"""Checks of destinations that pages have begun: each runs to its end in a thread, whoever looks at it."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

from headgate.checking.outcomes import Step
from headgate.errors import HeadgateError
from headgate.threads import in_thread

log = logging.getLogger(__name__)

MOST_KEPT = 32
"""Checks that have ended and can still be looked at."""


class Steps(Protocol):
    """Makes the steps of a check, and tells of each when it begins and when it has ended."""

    def __call__(self, begin: Callable[[str], object], end: Callable[[Step], object], /) -> None:
        """Return once all are made."""


class Run:
    """One check.

    Args:
        make: it blocks, and calls what it is given in the thread that it is called in.
    """

    def __init__(self, make: Steps) -> None:
        self.id = secrets.token_urlsafe(12)
        self.steps: list[Step] = []
        self.now: str | None = None
        """The step under way."""
        self.fault: str | None = None
        """Why it could not be made, on one line."""
        self.has_ended = False
        self._make = make
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def holds(self) -> bool:
        """Whether nothing has been found wrong so far."""
        return self.fault is None and all(each.outcome.state != "failed" for each in self.steps)

    async def progress(self) -> AsyncIterator["Run"]:
        """Give the check at once, then whenever something has come of it, and last when it has ended."""
        while True:
            news = self._news
            ended = self.has_ended
            yield self
            if ended:
                return
            await news.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()

        def tell(call: Callable[..., None], *told: object) -> None:
            with suppress(RuntimeError):  # the loop has closed: the console has ended
                loop.call_soon_threadsafe(call, *told)

        try:
            await in_thread(
                lambda: self._make(lambda name: tell(self._begin, name), lambda step: tell(self._end, step))
            )
        except HeadgateError as fault:
            self.fault = str(fault)
        except Exception as fault:
            log.exception("a check of a destination ended in a way nobody foresaw")
            self.fault = f"the check could not be made: {type(fault).__name__}"
        finally:
            self.now, self.has_ended = None, True
            self._tell()

    def _begin(self, name: str) -> None:
        self.now = name
        self._tell()

    def _end(self, step: Step) -> None:
        self.now = None
        self.steps.append(step)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class CheckRuns:
    """The checks of one console, one at a time of each destination. On the event loop alone."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, int], Run] = {}

    def begin(self, source_id: str, place: int, make: Steps) -> Run:
        """Return the check of a destination that is under way; a new one if there is none."""
        run = self.of(source_id, place)
        if run is None or run.has_ended:
            self._forget()
            run = self._runs[source_id, place] = Run(make)
        return run

    def of(self, source_id: str, place: int) -> Run | None:
        """Return the last check of a destination."""
        return self._runs.get((source_id, place))

    def find(self, run_id: str) -> Run | None:
        """Return a check by its ID."""
        return next((run for run in self._runs.values() if run.id == run_id), None)

    def _forget(self) -> None:
        ended = [key for key, run in self._runs.items() if run.has_ended]
        for key in ended[: max(len(ended) - MOST_KEPT, 0)]:
            del self._runs[key]
