"""Looks at the forwarder and at the settings while somebody looks at the console, and for a while after."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from headgate.console.overview.figures import Figures, Look, Point
from headgate.console.overview.history import History
from headgate.console.sources import Listed
from headgate.errors import HeadgateError

log = logging.getLogger(__name__)

LINGER_SECONDS = 60.0
"""How long it goes on with nobody there: who turns a page and comes back finds no gap."""
SETTINGS_SECONDS = 30.0
"""How often the settings are read again."""


class Observer:
    """One for all pages. On the event loop alone.

    Args:
        figures: where figures come from.
        settings: returns the sources as they are now.
        linger: seconds that it goes on with nobody there.
        now: seconds since 1970.
    """

    def __init__(
        self,
        figures: Figures,
        settings: Callable[[], Awaitable[Sequence[Listed]]],
        *,
        linger: float = LINGER_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.figures = figures
        self.history = History(figures.interval)
        self.seen: Look | None = None
        """The newest; None before the first."""
        self.fault: str | None = None
        """Why there are no figures now, on one line."""
        self.listed: Sequence[Listed] | None = None
        """The sources; None until they were read."""
        self.settings_fault: str | None = None
        """Why they cannot be read now."""
        self._settings = settings
        self._linger = linger
        self._now = now
        self._viewers = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._ending: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have it look for as long as the block lasts."""
        self._viewers += 1
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._every(self.figures.interval, self._look)),
                asyncio.create_task(self._every(SETTINGS_SECONDS, self._read)),
            ]
        try:
            yield
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._ending = asyncio.get_running_loop().call_later(self._linger, self._stop)

    @property
    def looking(self) -> bool:
        """Whether it looks now."""
        return bool(self._tasks)

    async def changed(self, seconds: float) -> None:
        """Return once it has looked again, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def close(self) -> None:
        """Look no more."""
        if self._ending is not None:
            self._ending.cancel()
        ending = self._tasks
        self._stop()
        if ending:
            await asyncio.wait(ending)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _every(self, seconds: float, look: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + seconds
            await look()
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
            await asyncio.sleep(due - loop.time())

    async def _look(self) -> None:
        began = self._now()
        try:
            self.seen, self.fault = await self.figures.look(), None
        except HeadgateError as fault:
            self.fault = str(fault)
        except Exception as fault:
            log.exception("the forwarder cannot be looked at")
            self.fault = f"{type(fault).__name__}: {fault}"
        self.history.put([Point(at=began)] if self.fault or self.seen is None else self.seen.points)

    async def _read(self) -> None:
        try:
            self.listed, self.settings_fault = await self._settings(), None
        except HeadgateError as fault:
            self.settings_fault = str(fault)
        except Exception as fault:
            log.exception("the settings cannot be read")
            self.settings_fault = f"{type(fault).__name__}: {fault}"
