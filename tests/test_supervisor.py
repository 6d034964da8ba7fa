"""Workers on one socket and their parent, as processes; none of them needs AWS."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from demo.forwarder import HEADGATE
from demo.processes import answer, free_port

SOURCES = (
    '[[sources]]\nid = "s"\nwrite_keys = ["wk_secret"]\n[[sources.destinations]]\nstream_name = "events"\n'
)


def until(ready: Callable[[], object], seconds: float = 25) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Forwarder:
    """`headgate serve` and what it wrote."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, directory: Path) -> None:
        self.process = process
        self.port = port
        self._log, self._output = directory / "log", directory / "output"

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.read_text().splitlines()]

    def logged(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["message"] == message]

    @property
    def status(self) -> dict[str, Any]:
        [line] = self.logged("status page")
        page: dict[str, Any] = json.loads(answer(line["address"]) or "{}")
        return page

    @property
    def workers(self) -> set[int]:
        return {worker["pid"] for worker in self.status["workers"]}

    def send_invalid(self, events: int) -> None:
        """Send events that are rejected: they are counted, and no AWS has to be there."""
        body = json.dumps({"batch": [{"type": "track", "userId": "u"}] * events, "writeKey": "wk_secret"})
        url = f"http://127.0.0.1:{self.port}/v1/batch"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, data=body.encode()), timeout=20)
        with refused.value as error:
            assert error.code == 400

    def port_is_free(self) -> bool:
        with suppress(OSError), socket.create_server(("127.0.0.1", self.port)):
            return True
        return False


@contextmanager
def forwarder(tmp_path: Path, *options: str, workers: int = 2) -> Iterator[Forwarder]:
    sources, port = tmp_path / "sources.toml", free_port()
    sources.write_text(SOURCES)
    command = [str(HEADGATE), "serve", "--sources", str(sources), "--port", str(port), "--drain", "0"]
    options = (*options, "--workers", str(workers))
    with (tmp_path / "log").open("wb") as log, (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*command, *options], stdout=output, stderr=log, env=_environment(), start_new_session=True
        )
    try:
        running = Forwarder(process, port, tmp_path)
        until(lambda: len(running.logged("serving")) == workers)
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment() -> dict[str, str]:
    return os.environ | {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}


def state(pid: int) -> str | None:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return None


def alive(pid: int) -> bool:
    # A killed process whose new parent does not collect it is a zombie, and holds nothing.
    return state(pid) not in (None, "Z")


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="looks at the workers in /proc, which is Linux's"
)


@needs_proc
def test_a_worker_that_dies_is_replaced_and_sigterm_stops_all(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "0") as running:
        until(lambda: answer(f"http://127.0.0.1:{running.port}/healthz"))
        before = running.workers
        assert len(before) == 2
        assert {os.getpgid(pid) for pid in before} == {os.getpgid(running.process.pid)}
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(running.logged("serving")) == 3)
        assert len(running.workers) == 2
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert not any(map(alive, before))
        assert len(running.logged("stopped")) == 2
        assert running.port_is_free()


@needs_proc
def test_totals_are_over_all_workers_and_those_of_a_dead_one_stay_in(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "0") as running:
        first, second = sorted(running.workers)
        for stopped in (first, second):  # while one stands still, the other takes the request
            os.kill(stopped, signal.SIGSTOP)
            until(lambda stopped=stopped: state(stopped) == "T")
            running.send_invalid(3)
            os.kill(stopped, signal.SIGCONT)
        source = {"s": {"accepted": 0, "rejected": {"event_not_defined": 6}}}
        until(lambda: running.status["sources"] == source)
        assert running.status["metrics"]["RejectedEvents"] == 6

        os.kill(first, signal.SIGKILL)
        until(lambda: running.status["metrics"]["WorkerRestarts"] == 1 and len(running.workers) == 2)
        status = running.status
        assert {worker["pid"]: worker["restarts"] for worker in status["workers"]}[second] == 0
        assert sorted(worker["restarts"] for worker in status["workers"]) == [0, 1]
        assert status["metrics"]["RejectedEvents"] == 6
        running.send_invalid(1)
        until(lambda: running.status["metrics"]["RejectedEvents"] == 7)
        assert "wk_secret" not in json.dumps(running.status)

        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        # What the killed worker had not told yet is gone with it; the others tell all, and once.
        assert sum(document.get("RejectedEvents", 0) for document in running.metrics) == 4
        assert sum(document.get("WorkerRestarts", 0) for document in running.metrics) == 1


@needs_proc
def test_workers_end_with_their_parent_and_the_port_is_free(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "0", "--drain", "60") as running:
        os.kill(min(running.workers), signal.SIGKILL)
        until(lambda: len(running.logged("serving")) == 3)
        workers = running.workers
        running.process.kill()
        running.process.wait()
        until(lambda: not any(map(alive, workers)))
        assert running.port_is_free()
        assert len(running.logged("the supervisor is gone, so this worker stops")) == 2
        assert len(running.logged("stopped")) == 2


def test_a_worker_that_dies_at_once_is_started_again_more_and_more_slowly(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "0") as running:
        for deaths in (1, 2):
            os.kill(max(running.workers), signal.SIGKILL)
            until(lambda deaths=deaths: len(running.logged("serving")) == 2 + deaths)
        waits = [line["wait"] for line in running.logged("a worker died and is started again")]
        assert waits == [0.5, 1.0]
        os.kill(max(running.workers), signal.SIGKILL)
        until(lambda: len(running.logged("a worker died and is started again")) == 3)
        # While it waits, it still does what it is told.
        assert len(running.status["workers"]) == 1
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert len(running.logged("serving")) == 4


def test_the_second_signal_makes_workers_hurry(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "0", "--drain", "100") as running:
        running.process.send_signal(signal.SIGTERM)
        until(lambda: len(running.logged("draining")) == 2)
        until(lambda: running.status["draining"])
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0


def test_an_interrupt_that_reaches_workers_from_the_terminal_and_from_their_parent_is_one(
    tmp_path: Path,
) -> None:
    with forwarder(tmp_path, "--status-port", "0", "--drain", "100") as running:
        for pid in (running.process.pid, *running.workers):
            os.kill(pid, signal.SIGINT)
        until(lambda: len(running.logged("draining")) == 2)
        until(lambda: running.status["draining"])
        assert running.process.poll() is None
        assert not running.logged("stopped")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_has_a_status_page(tmp_path: Path, workers: int) -> None:
    with forwarder(tmp_path, "--status-port", "0", workers=workers) as running:
        running.send_invalid(2)
        until(lambda: running.status["metrics"].get("RejectedEvents") == 2)
        assert len(running.workers) == workers
        assert (running.process.pid in running.workers) is (workers == 1)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert [document["RejectedEvents"] for document in running.metrics] == [2]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_status_port_that_is_taken_is_a_warning(tmp_path: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with forwarder(tmp_path, "--status-port", str(port), workers=workers) as running:
            [line] = [line for line in running.log if line["level"] == "warning"]
            assert line["port"] == port
            assert answer(f"http://127.0.0.1:{running.port}/healthz")


def test_there_may_be_no_status_page(tmp_path: Path) -> None:
    with forwarder(tmp_path, "--status-port", "-1", workers=1) as running:
        assert running.logged("status page") == []
        assert answer(f"http://127.0.0.1:{running.port}/healthz")
