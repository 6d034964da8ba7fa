"""Follow a settings file: a valid change is taken over, an invalid one never replaces what is in force."""

import asyncio
import logging
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


async def follow(path: Path, last: Stamp, take: Callable[[dict[str, Source]], None]) -> None:
    """Call `take` with the sources of every valid change of the file, for as long as this runs.

    Args:
        path: the file.
        last: its `stamp_of` from just before it was read the first time.
        take: called with the source of every write key.
    """
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        stamp = stamp_of(path)
        if stamp == last:
            continue
        last = stamp
        try:
            sources = read_sources(path)
        except SettingsError as error:
            log.error(
                "changed settings are not valid; the last good ones stay in force",
                extra={"reason": str(error)},
            )
            continue
        take(sources)
        log.info("settings read again", extra={"write_keys": len(sources)})
