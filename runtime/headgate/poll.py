"""The supervisor's event loop: waits for sockets and calls back, and keeps nothing in the kernel.

A child that the supervisor forks shares none of its state: with epoll, behind asyncio's loops, it would.
"""

import logging
import selectors
from collections.abc import Callable

log = logging.getLogger(__name__)


class Poll:
    """Calls back what is ready, once a `wait`; the methods are named and behave as asyncio's."""

    def __init__(self) -> None:
        self._selector = selectors.PollSelector()

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back whenever there is something to read."""
        self._selector.register(fd, selectors.EVENT_READ, callback)

    def remove_reader(self, fd: int) -> None:
        """Call back no more."""
        self._selector.unregister(fd)

    def add_writer(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back whenever something can be written."""
        self._selector.register(fd, selectors.EVENT_WRITE, callback)

    def remove_writer(self, fd: int) -> None:
        """Call back no more."""
        self._selector.unregister(fd)

    def wait(self, seconds: float) -> None:
        """Wait `seconds` at most until something is ready, and call back; a callback's fault is logged."""
        for key, _ in self._selector.select(seconds):
            if (
                self._selector.get_map().get(key.fd) is not key
            ):  # an earlier callback of this round removed it
                continue
            try:
                key.data()
            except Exception:
                log.exception("the supervisor failed in a way nobody foresaw")
