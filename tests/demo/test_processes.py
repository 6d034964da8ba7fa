import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.processes import DemoError, run, running

# Starts a grandchild, ignores SIGTERM as it does, and tells both their ids.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def python(code: str) -> list[str | Path]:
    return [sys.executable, "-c", code]


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return held


def alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_child_that_ignores_sigterm_ends_with_its_block_and_its_own_children_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running("stubborn", python(STUBBORN), environment=os.environ, log=log, grace=0.2) as child:
        child.wait_until(lambda: log.read_text().count(" ") == 1, 20)
        ids = [int(text) for text in log.read_text().split()]
        assert all(map(alive, ids))
    assert eventually(lambda: not any(map(alive, ids)))


def test_a_child_ends_when_the_block_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        running(
            "sleeper", python("import time; time.sleep(600)"), environment=os.environ, log=tmp_path / "log"
        ) as c,
    ):
        1 / 0  # noqa: B018
    assert c.process.poll() is not None


def test_waiting_for_what_has_ended_says_its_last_line(tmp_path: Path) -> None:
    command = python("import sys; sys.exit('the port is taken')")
    with (
        running("server", command, environment=os.environ, log=tmp_path / "log") as child,
        pytest.raises(DemoError, match=r"^server ended with status 1: the port is taken$"),
    ):
        child.wait_until(lambda: False, 20)


def test_waiting_ends_at_its_deadline(tmp_path: Path) -> None:
    command = python("import time; time.sleep(600)")
    with (
        running("server", command, environment=os.environ, log=tmp_path / "log") as child,
        pytest.raises(DemoError, match=r"^server was not ready within 0.1 s: it wrote nothing$"),
    ):
        child.wait_until(lambda: False, 0.1)


def test_run_returns_the_output_or_says_what_failed(tmp_path: Path) -> None:
    assert (
        run("greeter", python("print('hello')"), environment=os.environ, log=tmp_path / "a", seconds=20)
        == "hello\n"
    )
    with pytest.raises(DemoError, match=r"^greeter ended with status 1: no$"):
        run(
            "greeter",
            python("raise SystemExit('no')"),
            environment=os.environ,
            log=tmp_path / "b",
            seconds=20,
        )
    with pytest.raises(DemoError, match=r"^greeter took longer than 0.1 s"):
        run(
            "greeter",
            python("import time; time.sleep(60)"),
            environment=os.environ,
            log=tmp_path / "c",
            seconds=0.1,
        )
