"""Follow a store: a valid change is taken over, and nothing else ever replaces what is in force."""

import asyncio
import logging
import random
import time
from collections.abc import Callable

from headgate import backoff
from headgate.errors import AwsError, SettingsError
from headgate.metrics.store import Count
from headgate.settings.schema import Source
from headgate.settings.store import Store, Version
from headgate.threads import in_thread

log = logging.getLogger(__name__)

GAP_SECONDS = 1.0
"""From the beginning of one look at the store to that of the next, however many ask for one."""
PATIENCE_SECONDS = 6.0
"""How long whoever asks waits for an answer of the store."""
LOG_EVERY_SECONDS = 60.0
"""Between two lines that say that the store cannot be read."""
_FIRST_RETRY_SECONDS = 1.0
_JITTER = 0.1


class Watch:
    """Follows one store, and looks at once when it is asked to.

    Args:
        store: where the settings are.
        first: what it held when it was read before, and is in force; None while nothing is.
        take: called with the source of every write key, for every valid change.
        failures: counts the looks that found no settings that could be taken.
        now: seconds of a clock that only goes forward.
        spread: random numbers from 0 to 1.
    """

    def __init__(
        self,
        store: Store,
        first: Version | None,
        take: Callable[[dict[str, Source]], None],
        failures: Count,
        *,
        now: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._last = first.stamp if first is not None else None
        self._in_force = first is not None
        self._take = take
        self._failures = failures
        self._now = now
        self._spread = spread
        self._in_a_row = 0
        self._invalid: str | None = None
        """What is wrong with the last version."""
        self._fault: str | None = None
        """Why the settings in force are not, or may not be, what the store holds now."""
        self._log_from = self._looked_at = float("-inf")
        self._told = False
        self._looking = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Look again and again, for as long as this runs."""
        while True:
            await asyncio.sleep(self._wait())
            await self.look()

    async def look(self) -> None:
        """Return once the store was looked at, and what it holds is in force if it is new and valid.

        All who ask before a look has begun share it.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._look_in_turn())
        await asyncio.shield(self._next)

    async def reread(self) -> None:
        """Return once the settings in force are those that the store holds now.

        Raises:
            SettingsError: it cannot be read, takes too long, or what it holds now is not valid.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.look()
        except TimeoutError:
            raise SettingsError(f"{self._store.name} has not answered in {PATIENCE_SECONDS:g} s") from None
        if self._fault is not None:
            raise SettingsError(self._fault)

    def _wait(self) -> float:
        if self._in_force or not self._in_a_row:
            return self._store.interval * (1 - _JITTER + 2 * _JITTER * self._spread())
        return backoff.seconds(
            self._in_a_row, self._spread(), first=_FIRST_RETRY_SECONDS, longest=self._store.interval
        )

    async def _look_in_turn(self) -> None:
        async with self._looking:
            await asyncio.sleep(self._looked_at + GAP_SECONDS - self._now())
            self._looked_at = self._now()
            self._next = None  # who asks from now on wants a later look
            try:
                await self._look()
            except AwsError as error:
                self._fault = str(error)
                self._tell_unreadable(self._fault)
            except Exception:  # a defect of a store must not end the watch of it
                self._fault = f"{self._store.name} cannot be read"
                log.exception("the settings could not be read in a way nobody foresaw")
            self._in_a_row = self._in_a_row + 1 if self._fault is not None else 0
            self._failures.value += self._fault is not None

    async def _look(self) -> None:
        version = await in_thread(self._store.latest)
        if version.stamp != self._last:
            await self._take_over(version)
        self._fault = self._invalid
        if self._told:
            self._told = False
            log.info("the settings can be read again", extra={"sources": self._store.name})

    async def _take_over(self, version: Version) -> None:
        try:
            sources = await in_thread(version.sources)
        except SettingsError as error:
            self._last, self._invalid = version.stamp, str(error)
            log.error(
                "changed settings are not valid; the last good ones stay in force"
                if self._in_force
                else "the settings are not valid; requests are answered 503 until they are",
                extra={"reason": self._invalid},
            )
            return
        said = "settings read again" if self._in_force else "settings read"
        self._last, self._invalid, self._in_force = version.stamp, None, True
        self._log_from = float("-inf")
        self._take(sources)
        log.info(said, extra={"write_keys": len(sources)})

    def _tell_unreadable(self, reason: str) -> None:
        if self._now() < self._log_from:
            return
        self._log_from = self._now() + LOG_EVERY_SECONDS
        self._told = True
        log.error(
            "the settings cannot be read; the last good ones stay in force"
            if self._in_force
            else "the settings cannot be read; requests are answered 503 until they are",
            extra={"reason": reason},
        )
