"""Calls that block, off the event loop, each in a thread of its own.

The loop's own executor has a few threads for all: calls to a region that hangs would take every one of them
from the calls to healthy regions, and the process could not end before the last of them has.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(call: Callable[[], Result]) -> Result:
    """Return what `call` returns, or raise what it raises; whoever stops waiting leaves it to itself."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Result] = loop.create_future()

    def tell(result: Result | None, error: BaseException | None) -> None:
        if told.done():
            return
        if error is not None:
            told.set_exception(error)
        else:
            told.set_result(result)  # type: ignore[arg-type]  # there is one where there is no error

    def work() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # whatever it is, it is the waiting coroutine's
            error = raised
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=work, daemon=True).start()
    return await told
