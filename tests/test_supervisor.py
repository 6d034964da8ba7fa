"""Several workers on one socket, as a process."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.forwarder import HEADGATE
from demo.processes import answer, free_port

SOURCES = '[[sources]]\nid = "s"\nwrite_keys = ["wk"]\n[[sources.destinations]]\nstream_name = "events"\n'


def until(ready: Callable[[], object], seconds: float = 25) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def workers_of(parent: int) -> set[int]:
    return set(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="finds the workers in /proc, which is Linux's"
)
def test_a_worker_that_dies_is_replaced_and_sigterm_stops_all(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text(SOURCES)
    port, log = free_port(), tmp_path / "log"
    command = [str(HEADGATE), "serve", "--sources", str(sources), "--port", str(port)]
    with log.open("wb") as stderr:
        parent = subprocess.Popen([*command, "--workers", "2", "--drain", "0"], stderr=stderr)
    try:
        until(lambda: answer(f"http://127.0.0.1:{port}/healthz") and log.read_text().count('"serving"') == 2)
        before = workers_of(parent.pid)
        assert len(before) == 2
        assert {os.getpgid(pid) for pid in before} == {os.getpgid(parent.pid)}
        os.kill(min(before), signal.SIGKILL)
        until(lambda: log.read_text().count('"serving"') == 3)
        assert len(workers_of(parent.pid)) == 2
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(20) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in before)
        messages = [json.loads(line)["message"] for line in log.read_text().splitlines()]
        assert messages.count("stopped") == 2
    finally:
        parent.kill()
        parent.wait()
