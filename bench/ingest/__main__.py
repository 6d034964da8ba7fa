"""CPU of the HTTP side before delivery, beside the least that an ASGI app takes: `python -m bench.ingest`."""

import argparse
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ingest.requests import scripts
from bench.processes import PEERS, cpu, environment
from bench.serving import free_port

MOST = 20.0
"""Microseconds of CPU that a request with one event may take."""


def commands(port: int) -> dict[str, list[str]]:
    quiet = ["--log-level", "warning", "--no-access-log", "--loop", "uvloop", "--http", "httptools"]
    return {
        "headgate": [sys.executable, "-m", "bench.ingest.ours", str(port)],
        "uvicorn": [str(PEERS), "-m", "uvicorn", "bench.ingest.echo:app", "--port", str(port), *quiet],
    }


@contextmanager
def running(name: str) -> Iterator[tuple[int, int]]:
    """Run one of the servers; give its port and its process ID."""
    port = free_port()
    process = subprocess.Popen(commands(port)[name], env=environment({}))
    try:
        deadline = time.monotonic() + 20
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{name} does not serve")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def microseconds(port: int, pid: int, script: Path, seconds: int) -> float:
    """Send for `seconds`; return the CPU of one request."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    before = cpu(pid)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    taken = cpu(pid) - before
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"not every request was answered with 200:\n{said}")
    requests = re.search(r"(\d+) requests in", said)
    return taken / int(requests[1]) * 1e6 if requests else sys.exit(said)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server, in turn (default: 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of each run (default: 4)")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk sends the requests; on Debian: apt-get install wrk")
    if not PEERS.exists():
        sys.exit("uvicorn has an environment of its own: make .tools/peers/.ready")
    names = ["headgate", "uvicorn"]
    taken: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as directory:
        work = scripts(Path(directory))
        for number in range(asked.rounds):
            for name in names[:: 1 if number % 2 else -1]:
                with running(name) as (port, pid):
                    for title, (script, events) in work.items():
                        microseconds(port, pid, script, 1)  # warms up
                        once = microseconds(port, pid, script, asked.seconds)
                        taken.setdefault(title, {}).setdefault(name, []).append(once / events)
    print(f"| CPU µs per event, median of {asked.rounds} | headgate | uvicorn, JSON echo | ratio |")
    print("|---|---|---|---|")
    for title, by_name in taken.items():
        ours, peer = (statistics.median(by_name[name]) for name in names)
        print(f"| {title} | {ours:.1f} | {peer:.1f} | {peer / ours:.1f} |")
    spread = {
        title: [f"{each:.1f}" for each in sorted(by_name["headgate"])] for title, by_name in taken.items()
    }
    print(f"\nheadgate's single runs: {spread}")
    sys.exit(statistics.median(taken["one event"]["headgate"]) > MOST)


if __name__ == "__main__":
    main()
