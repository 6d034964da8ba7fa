"""Child processes that are gone, with all that they started, when their block ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TIED = Path(__file__).with_name("tied.py")


class DemoError(Exception):
    """What the demo set out to show did not come about; one line."""


class Child:
    """A running process and the file that it writes to."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return once `ready()` is true.

        Raises:
            DemoError: the process ended, or the time is over; with the last line of its log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if (status := self.process.poll()) is not None:
                raise DemoError(f"{self.name} ended with status {status}: {self.last_line()}")
            if time.monotonic() > deadline:
                raise DemoError(f"{self.name} was not ready within {seconds:g} s: {self.last_line()}")
            time.sleep(0.05)

    def last_line(self) -> str:
        """Return the last line it wrote that is not empty."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


@contextmanager
def running(
    name: str, command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, grace: float = 15
) -> Iterator[Child]:
    """Run a command for as long as the block lasts.

    Args:
        name: what it is called in errors.
        command: the program and its arguments.
        environment: all of its environment variables.
        log: where its standard output and standard error go.
        grace: seconds from SIGTERM, which the end of the block sends, to SIGKILL.
    """
    # A group of its own: Ctrl-C reaches it by way of us alone, in our order, and nothing of it is missed.
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _TIED, str(os.getpid()), *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Child(name, process, log)
    finally:
        _stop(process, grace)


def run(
    name: str, command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, seconds: float
) -> str:
    """Return what a command wrote, standard error included, once it has ended with status 0.

    Raises:
        DemoError: it failed or took longer than `seconds`.
    """
    with running(name, command, environment=environment, log=log) as child:
        try:
            status = child.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{name} took longer than {seconds:g} s: {child.last_line()}") from None
    if status:
        raise DemoError(f"{name} ended with status {status}: {child.last_line()}")
    return log.read_text(encoding="utf-8")


def in_front(name: str, command: Sequence[str | Path], *, environment: Mapping[str, str]) -> None:
    """Run a command on our own terminal until it ends; Ctrl-C reaches it as it reaches us.

    Raises:
        DemoError: it failed.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", _TIED, str(os.getpid()), *command], env=dict(environment)
    )
    try:
        status = process.wait()
    except SystemExit:
        # Where the signal came to it as well it ends by itself.
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
        raise
    finally:
        _stop(process, grace=15)
    if status:
        raise DemoError(f"{name} ended with status {status}")


def free_port() -> int:
    """Return a port of the loopback interface on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answer(url: str) -> bytes | None:
    """Return the body with which `url` answers 200, or None; no proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bytes(response.read())
    except OSError:
        return None


def _stop(process: "subprocess.Popen[bytes]", grace: float) -> None:
    try:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        # Whatever else it started is in its group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
