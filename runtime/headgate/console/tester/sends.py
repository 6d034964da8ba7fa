"""What the event tester sent, step by step, for the pages that look at it. On the event loop alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from headgate.console.entry import Session

MOST_SENDS = 8
"""Of all sessions together; one more ends the oldest."""
KEPT_SECONDS = 60.0
"""How long what became of one can be looked at once it is known."""


class Send:
    """One request, and the parts of a page that show what becomes of it.

    Args:
        session: whose it is.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.id = secrets.token_urlsafe(8)
        self.done = False
        self._parts: dict[str, str] = {}
        self._changed = asyncio.Event()

    def show(self, part: str, html: str) -> None:
        """Put a part of the page in place of what it was."""
        self._parts[part] = html
        self._wake()

    def finish(self) -> None:
        """Note that no part changes any more."""
        self.done = True
        self._wake()

    async def changes(self) -> AsyncIterator[tuple[str, str]]:
        """Give the parts, and each again when it has changed, until none does any more."""
        given: dict[str, str] = {}
        while True:
            changed, done = self._changed, self.done
            for part, html in list(self._parts.items()):
                if given.get(part) is not html:
                    given[part] = html
                    yield part, html
            if done:
                return
            await changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Sends:
    """Those that are under way, and those that can still be looked at."""

    def __init__(self) -> None:
        self._sends: dict[str, tuple[Send, asyncio.Task[None]]] = {}

    def begin(self, send: Send, work: Coroutine[Any, Any, None]) -> None:
        """Have a request sent, and what becomes of it shown."""
        while len(self._sends) >= MOST_SENDS:
            self._end(next(iter(self._sends)))
        task = asyncio.create_task(work)
        self._sends[send.id] = send, task
        task.add_done_callback(lambda _: self._finish(send))

    def get(self, session: Session, send_id: str) -> Send | None:
        """Return what a session sent; None if it is known no more."""
        send, _ = self._sends.get(send_id, (None, None))
        return send if send is not None and send.session == session else None

    def close(self) -> None:
        """End all of them."""
        for send_id in list(self._sends):
            self._end(send_id)

    def _finish(self, send: Send) -> None:
        send.finish()
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._end, send.id)

    def _end(self, send_id: str) -> None:
        _, task = self._sends.pop(send_id, (None, None))
        if task is not None:
            task.cancel()
