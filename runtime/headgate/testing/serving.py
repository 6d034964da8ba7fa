"""What serving needs beside a server: a thread, a clock, and a way to refuse connections for a while."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

import uvloop

from headgate.testing.server import Server


def steady_clock() -> Callable[[], float]:
    """Return a clock of seconds since 1970 that never goes back."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


class ServingThread:
    """A thread with an event loop of its own."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-kinesis", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function on the loop, and return when it is done."""
        asyncio.run_coroutine_threadsafe(function(), self._loop).result(30)

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Refusing:
    """Refuses connections while its block runs: `with` beside a thread, `async with` on the same loop."""

    def __init__(self, server: Server, thread: ServingThread | None) -> None:
        self._server = server
        self._thread = thread

    def __enter__(self) -> None:
        if self._thread is None:
            raise RuntimeError("the fake serves on this loop: write `async with`, not `with`")
        self._thread.call(self._server.refuse)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.call(self._server.listen)

    async def __aenter__(self) -> None:
        await self._server.refuse()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.listen()
