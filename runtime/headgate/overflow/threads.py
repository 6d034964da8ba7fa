"""Blocking calls beside the event loop, in threads that nobody has to wait for.

An executor's threads are joined when the process ends, and a long poll would hold it up for 20 seconds.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class DaemonThreads:
    """Runs calls in threads, a limited number at a time, also counting those whose caller has given up."""

    def __init__(self, most: int) -> None:
        self._slots = asyncio.Semaphore(most)

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, or raise what it raises."""
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def succeeded(result: T) -> None:
            self._slots.release()
            if not done.done():
                done.set_result(result)

        def failed(error: Exception) -> None:
            self._slots.release()
            if not done.done():
                done.set_exception(error)

        def work() -> None:
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                try:
                    result = call()
                except Exception as error:
                    loop.call_soon_threadsafe(failed, error)
                else:
                    loop.call_soon_threadsafe(succeeded, result)

        threading.Thread(target=work, name="headgate-sqs", daemon=True).start()
        return await done
