"""Asking the store once more before a write key counts as unknown."""

import asyncio
from collections.abc import Awaitable, Callable

from headgate.errors import SettingsError

Reread = Callable[[], Awaitable[None]]
"""Returns once the settings in force are at least as new as the call; raises `SettingsError` when the store
cannot be read. It may wait: it limits its own rate."""

MAX_WAITING = 64
"""Requests that may wait for a re-read: each holds its events."""


class Rereader:
    """Lets requests wait until the settings have been read again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Task[None]] = set()

    def ask(self, reread: Reread, then: Callable[[bool], None]) -> bool:
        """Call `then` once the settings were read again, with whether the store could be read.

        Returns:
            False when too many wait already; then nothing is called.
        """
        if len(self._waiting) >= MAX_WAITING:
            return False
        waiting = asyncio.get_running_loop().create_task(self._wait(reread, then))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return True

    async def _wait(self, reread: Reread, then: Callable[[bool], None]) -> None:
        try:
            await reread()
        except SettingsError:
            readable = False
        else:
            readable = True
        then(readable)
