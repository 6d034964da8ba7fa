"""The parent of several workers: it owns the listening socket, restarts a dead worker, passes signals on.

The workers inherit the socket, so a connection that waits in its backlog when a worker dies is taken by
another. Each worker has a channel to the parent. Its reports come in over it; and it ends with the parent,
however that ends, so that no worker outlives it unseen and keeps the port.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

import headgate
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.poll import Poll
from headgate.status.board import Board
from headgate.status.http import StatusServer
from headgate.status.reporter import EMF_SECONDS, decode, emf_log

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0
"""Before a worker that died is started again; doubled for one that dies soon after."""
SETTLED_SECONDS = 30.0
"""A worker that lived this long had no trouble in starting."""

_STOP = frozenset({signal.SIGTERM, signal.SIGINT})

Work = Callable[[socket.socket], None]
"""What a worker does until it is told to stop, or its channel, which it is given, ends."""


def run_workers(
    count: int, work: Work, *, listening: socket.socket, status: socket.socket | None, service: str
) -> None:
    """Run `work` in `count` processes until all of them have stopped after SIGTERM or SIGINT.

    Args:
        count: how many.
        work: what each does.
        listening: the socket that they accept from; it is closed here as soon as they are told to stop.
        status: where `/statusz` is served, if anywhere.
        service: what metrics call all of it.
    """
    _Supervisor(count, work, listening, status, service).run()


@dataclass(slots=True, eq=False)
class _Worker:
    pid: int
    channel: socket.socket
    restarts: int
    """How many died in its place before it."""
    started: float = field(default_factory=time.monotonic)
    unread: bytes = b""
    """The beginning of a report whose rest is still to come."""


class _Supervisor:
    def __init__(
        self, count: int, work: Work, listening: socket.socket, status: socket.socket | None, service: str
    ) -> None:
        self._work = work
        self._listening = listening
        self._poll = Poll()
        self._metrics = Metrics()
        self._restarts = self._metrics.counter(names.WORKER_RESTARTS)
        self._emf = emf_log(service)
        self._board = Board(headgate.__version__, self._metrics.snapshot)
        self._status = StatusServer(status, self._poll, self._board.page) if status is not None else None
        self._signals, self._signalled = socket.socketpair()
        self._workers: dict[int, _Worker] = {}
        now = time.monotonic()
        self._due = [(now, 0)] * count
        """When a worker is to be started, and how many died in its place."""
        self._next_emf = now + EMF_SECONDS
        self._wait = FIRST_WAIT_SECONDS
        self._stopping = False

    def run(self) -> None:
        self._watch_signals()
        while self._workers or self._due:
            self._start_due()
            self._poll.wait(self._seconds_to_next())
            self._reap()
            if time.monotonic() >= self._next_emf:
                self._next_emf += EMF_SECONDS
                self._emf.tell(self._metrics, time.time())
        self._emf.tell(self._metrics, time.time())
        if self._status is not None:
            self._status.close()

    def _watch_signals(self) -> None:
        # Python writes a signal's number to the descriptor; the loop reads it, so nothing happens in between.
        for end in (self._signals, self._signalled):
            end.settimeout(0)
        signal.set_wakeup_fd(self._signalled.fileno())
        for number in (*_STOP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._poll.add_reader(self._signals.fileno(), self._take_signals)

    def _take_signals(self) -> None:
        for number in self._signals.recv(4096):
            if number in _STOP:
                self._stop(number)

    def _stop(self, number: int) -> None:
        """Pass a signal on; the second one makes workers hurry, as it does a process without a parent."""
        self._stopping = True
        self._due.clear()
        self._listening.close()
        for pid in self._workers:
            os.kill(pid, number)

    def _seconds_to_next(self) -> float:
        next_ = min([self._next_emf, *(at for at, _ in self._due)])
        return max(next_ - time.monotonic(), 0)

    def _start_due(self) -> None:
        now = time.monotonic()
        due = [each for each in self._due if each[0] <= now]
        self._due = [each for each in self._due if each[0] > now]
        for _, restarts in due:
            try:
                self._start(restarts)
            except OSError as fault:
                log.error("a worker cannot be started", extra={"reason": str(fault), "wait": self._wait})
                self._start_later(restarts)

    def _start(self, restarts: int) -> None:
        ours, channel = socket.socketpair()
        # A signal between the fork and the worker's own handlers must not be lost: it pends until then.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
        try:
            pid = os.fork()
            if pid == 0:
                ours.close()
                self._become_worker(channel)
        except OSError:
            ours.close()
            raise
        finally:
            channel.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
        ours.settimeout(0)
        worker = self._workers[pid] = _Worker(pid, ours, restarts)
        self._board.started(pid, restarts)
        self._poll.add_reader(ours.fileno(), lambda: self._read(worker))

    def _become_worker(self, channel: socket.socket) -> NoReturn:
        """Do the work and end. The parent's ends are closed, lest it seem to live when it is gone."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*_STOP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for end in (
                self._signals,
                self._signalled,
                *(worker.channel for worker in self._workers.values()),
            ):
                end.close()
            if self._status is not None:
                self._status.close()
            self._work(channel)
            status = 0
        except BaseException:
            log.exception("a worker ends in a way nobody foresaw")
        finally:
            os._exit(status)

    def _read(self, worker: _Worker) -> bool:
        """Take in what a worker has reported; return whether there may be more of it now.

        Where the parent is behind, the last report alone counts.
        """
        try:
            data = worker.channel.recv(1 << 20)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close_channel(worker)
            return False
        *whole, worker.unread = (worker.unread + data).split(b"\n")
        if whole:
            try:
                self._board.take(worker.pid, decode(whole[-1]))
            except msgspec.DecodeError as fault:
                log.error("a worker's report cannot be read", extra={"pid": worker.pid, "reason": str(fault)})
        return True

    def _close_channel(self, worker: _Worker) -> None:
        if worker.channel.fileno() >= 0:
            self._poll.remove_reader(worker.channel.fileno())
            worker.channel.close()

    def _reap(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if (worker := self._workers.pop(pid, None)) is None:  # a child from before we were what we are
                continue
            while worker.channel.fileno() >= 0 and self._read(worker):
                pass
            self._close_channel(worker)
            self._board.ended(pid)
            if not self._stopping:
                self._restart(worker, os.waitstatus_to_exitcode(status))

    def _restart(self, worker: _Worker, status: int) -> None:
        if time.monotonic() - worker.started > SETTLED_SECONDS:
            self._wait = FIRST_WAIT_SECONDS
        self._restarts.value += 1
        log.error(
            "a worker died and is started again",
            extra={"pid": worker.pid, "status": status, "wait": self._wait},
        )
        self._start_later(worker.restarts + 1)

    def _start_later(self, restarts: int) -> None:
        self._due.append((time.monotonic() + self._wait, restarts))
        self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)
