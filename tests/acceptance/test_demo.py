"""`make demo` and `make console` as their user runs them; that they leave nothing behind however they end."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def start(directory: Path, *arguments: str) -> "subprocess.Popen[str]":
    # From another directory, with settings of the user's own that must not matter.
    environment = os.environ | {
        "TMPDIR": str(directory),
        "AWS_PROFILE": "of-the-user",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "demo", *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_of(directory: Path) -> list[str]:
    """The command lines of all processes that were started under a demo whose TMPDIR `directory` is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            described = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if str(directory).encode() in described and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_text())
        except OSError:  # it has ended meanwhile
            continue
    return found


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def test_the_demo_reads_back_what_it_sent(tmp_path: Path) -> None:
    with start(tmp_path) as demo:
        output, errors = demo.communicate(timeout=100)
    assert demo.returncode == 0, errors
    assert "without an External ID: refused" in output
    assert "with a wrong External ID: refused" in output
    row = r"^{}\s+shardId-\d{{12}}\s+\d{{20,}}\s+user-\d+\s+{{.*{}.*}}\s*$"
    for type_, told in (
        ("page", "Pricing"),
        ("identify", "ada@example.com"),
        ("track", "Order Completed"),
        ("group", "acme"),
    ):
        assert re.search(row.format(type_, told), output, re.MULTILINE), output
    assert "\x1b" not in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_console_opens_on_a_running_system_and_ends_as_its_user_says(tmp_path: Path) -> None:
    with start(tmp_path, "console") as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "/enter?once=" in line:
                break
        browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
        )
        with browser.open(line.strip(), timeout=10) as page:
            shown = page.read().decode()
        demo.send_signal(signal.SIGINT)
        output, errors = demo.communicate(timeout=30)
    assert demo.returncode == 0, errors
    assert "<h1>Overview</h1>" in shown
    assert "headgate console --sources dynamodb://headgate-demo-settings" in "".join(lines)
    assert "Stopping all that was started" in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for left-over processes in /proc")
@pytest.mark.parametrize(
    ("signum", "step"), [(signal.SIGINT, "Deploying it"), (signal.SIGTERM, "Starting the forwarder")]
)
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, signum: signal.Signals, step: str) -> None:
    with start(tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if step in line:
                break
        assert processes_of(tmp_path) != []
        demo.send_signal(signum)
        _, errors = demo.communicate(timeout=30)
    assert demo.returncode == 128 + signum
    assert errors == "demo: interrupted; stopping all that was started\n"
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends the children there alone")
def test_a_killed_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    with start(tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "Starting the forwarder" in line:
                break
        assert len(processes_of(tmp_path)) >= 3
        demo.kill()
        assert eventually(lambda: processes_of(tmp_path) == [])
