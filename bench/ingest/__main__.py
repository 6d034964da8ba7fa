"""CPU of the HTTP side before delivery, beside the least that an ASGI app takes: `python -m bench.ingest`."""

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.budgets import conclude
from bench.ingest.report import report
from bench.ingest.requests import scripts
from bench.processes import PEERS, cpu, environment
from bench.results import OURS, Row, demand_peers
from bench.serving import free_port


def commands(port: int) -> dict[str, list[str]]:
    quiet = ["--log-level", "warning", "--no-access-log", "--loop", "uvloop", "--http", "httptools"]
    return {
        OURS: [sys.executable, "-m", "bench.ingest.ours", str(port)],
        "uvicorn, JSON echo": [
            str(PEERS), "-m", "uvicorn", "bench.ingest.echo:app", "--port", str(port), *quiet
        ],
    }  # fmt: skip


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
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server, in turn (default: 3)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each run (default: 2)")
    asked = parser.parse_args()
    demand_peers()
    with tempfile.TemporaryDirectory() as directory:
        work = scripts(Path(directory))
        rows = {(what, who): Row(who, what) for what in work for who in commands(0)}
        for number in range(asked.rounds):
            for who in list(commands(0))[:: 1 if number % 2 else -1]:
                with running(who) as (port, pid):
                    for what, (script, events) in work.items():
                        microseconds(port, pid, script, 1)  # warms up
                        rows[what, who].add(cpu=microseconds(port, pid, script, asked.seconds) / events)
    conclude("ingest", report, rows.values(), **vars(asked))


if __name__ == "__main__":
    main()
