"""Server-sent events: what a page is told while it is open."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

_KEEP_ALIVE_SECONDS = 15.0


def told(event: str, data: str, number: int | None = None) -> bytes:
    """Return one event: its name, its data, and the ID that a browser names when it comes back."""
    # A carriage return ends a line of an event too.
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head = f"event: {event}\n" + (f"id: {number}\n" if number is not None else "")
    # What comes of an event may hold half of a surrogate pair, which has no UTF-8.
    return (head + "".join(f"data: {line}\n" for line in lines) + "\n").encode(errors="replace")


class EventStream(StreamingResponse):
    """An answer that goes on as long as its page is open, or until what is told ends."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(_kept_alive(events), media_type="text/event-stream")


async def _kept_alive(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Say something at times: only a write tells that nobody reads any more."""
    upcoming: asyncio.Future[bytes] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([upcoming], timeout=_KEEP_ALIVE_SECONDS)
            if not done:
                yield b": nothing new\n\n"
                continue
            told_now, upcoming = upcoming, None
            try:
                yield told_now.result()
            except StopAsyncIteration:
                return
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.wait([upcoming])
        aclose = getattr(events, "aclose", None)
        if aclose is not None:
            await aclose()
