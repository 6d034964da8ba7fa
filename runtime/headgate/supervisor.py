"""The parent of several workers: it owns the listening socket, restarts a dead worker, passes signals on.

The workers inherit the socket, so a connection that waits in its backlog when a worker dies is taken by
another.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0
"""Before a worker that died is started again; doubled for one that dies soon after."""
SETTLED_SECONDS = 30.0
"""A worker that lived this long had no trouble in starting."""


def run_workers(count: int, work: Callable[[], None]) -> None:
    """Run `work` in `count` processes until all of them have stopped after SIGTERM or SIGINT."""
    _Supervisor(count, work).run()


class _Supervisor:
    def __init__(self, count: int, work: Callable[[], None]) -> None:
        self._count = count
        self._work = work
        self._started: dict[int, float] = {}
        self._stopping = False
        self._wait = FIRST_WAIT_SECONDS

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        for _ in range(self._count):
            self._start()
        while self._started:
            pid, status = os.wait()
            lived = time.monotonic() - self._started.pop(pid)
            if not self._stopping:
                self._restart(pid, os.waitstatus_to_exitcode(status), lived)

    def _start(self) -> None:
        # A signal between the fork and the worker's own handlers must not be lost, nor end the parent's child
        # unseen: it stays pending until the worker or the parent is ready for it.
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._work()
                status = 0
            except BaseException:
                log.exception("a worker ends in a way nobody foresaw")
            finally:
                os._exit(status)
        self._started[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        if self._stopping:
            os.kill(pid, signal.SIGTERM)

    def _restart(self, pid: int, status: int, lived: float) -> None:
        self._wait = FIRST_WAIT_SECONDS if lived > SETTLED_SECONDS else self._wait
        log.error(
            "a worker died and is started again", extra={"pid": pid, "status": status, "wait": self._wait}
        )
        time.sleep(self._wait)
        self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)
        if not self._stopping:
            self._start()

    def _pass_on(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # signal's signature
        self._stopping = True
        for pid in self._started:
            os.kill(pid, number)
