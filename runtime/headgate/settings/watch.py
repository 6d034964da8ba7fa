"""Follow a settings file: a valid change is taken over, an invalid one never replaces what is in force."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from headgate.errors import SettingsError
from headgate.settings.file_store import read_sources
from headgate.settings.schema import Source

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0

Stamp = tuple[int, int, int] | None


def stamp_of(path: Path) -> Stamp:
    """Return what changes when the file is written or replaced; None while it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class FileWatch:
    """Follows one file, and looks at once when it is asked to.

    Args:
        path: the file.
        last: its `stamp_of` from just before it was read the first time.
        take: called with the source of every write key, for every valid change.
        now: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        path: Path,
        last: Stamp,
        take: Callable[[dict[str, Source]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._last = last
        self._take = take
        self._now = now
        self._looked_at = -INTERVAL_SECONDS
        self._fault: str | None = None
        self._next: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Look again and again, for as long as this runs."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self._look()

    async def reread(self) -> None:
        """Return once the settings in force are those that the file holds now.

        It looks at most once a second; all who ask meanwhile wait for the same look.

        Raises:
            SettingsError: the file is not there, or what it holds now is not valid.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._look_soon())
        await asyncio.shield(self._next)
        if self._fault is not None:
            raise SettingsError(self._fault)

    async def _look_soon(self) -> None:
        await asyncio.sleep(self._looked_at + INTERVAL_SECONDS - self._now())
        self._next = None  # who asks from now on wants a later look
        self._look()

    def _look(self) -> None:
        self._looked_at = self._now()
        stamp = stamp_of(self._path)
        if stamp == self._last:
            return
        self._last = stamp
        try:
            sources = read_sources(self._path)
        except SettingsError as error:
            self._fault = str(error)
            log.error(
                "changed settings are not valid; the last good ones stay in force",
                extra={"reason": self._fault},
            )
            return
        self._fault = None
        self._take(sources)
        log.info("settings read again", extra={"write_keys": len(sources)})
