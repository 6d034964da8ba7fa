"""How cost grows with what there is more of: `python -m bench.growth`."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.budgets import conclude
from bench.growth.axes import AXES, CONNECTIONS, OPEN, Axis, bodies
from bench.growth.report import report
from bench.kinesis import standin
from bench.processes import cpu, environment, memory, tree
from bench.results import OURS, Row, demand_peers
from bench.serve.requests import wrk_script
from bench.serving import COLLECTORS, free_port, headgate, send, serving, write_key
from headgate.server import MOST_PREPARED

CLIENTS = 64
PATIENCE = 60
PATIENT = {
    OURS: ["--max-connections", str(2 * max(OPEN))],
    "FastAPI, aiobotocore": ["--timeout-keep-alive", "600"],
}
"""What has each collector keep so many idle connections."""
SPARE = 200
"""File descriptors that a process needs besides those of connections."""


def grown(axis: Axis, size: int, rounds: int, seconds: int, directory: Path) -> Row:
    """Measure one forwarder."""
    setup, row, port = axis.setup(size), Row(OURS, axis.name), free_port()
    of, events = bodies(setup)
    keys = [write_key(number) for number in range(setup.destinations)]
    script = wrk_script(directory / "growth.lua", "/v1/batch", of, keys)
    command = headgate(port, directory, "--workers", str(setup.workers), destinations=setup.destinations)
    with standin(setup.shards) as at, serving(command, port, at) as forwarder:
        pids = tree(forwarder.pid)
        wait_until(lambda: at.described() >= min(setup.destinations, MOST_PREPARED) * setup.workers)
        start = sum(map(cpu, pids))
        send(forwarder.url, script, CLIENTS, 2)  # every destination is met
        for _ in range(rounds):
            before = sum(map(cpu, pids))
            sent = send(forwarder.url, script, CLIENTS, seconds)
            if sent.refused:
                sys.exit(f"{axis.name} {size}: {sent.refused} requests were refused")
            row.add(
                size=size,
                cpu=(sum(map(cpu, pids)) - before) / (sent.requests * events) * 1e6,
                events=sent.per_second * events,
                memory=sum(memory(pid, "VmHWM") for pid in pids),
                start=start,
            )
    return row


def wait_until(done: Callable[[], bool]) -> None:
    """Wait until a forwarder has asked all that it asks of its own accord."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            sys.exit(f"not every destination was looked at within {PATIENCE} s")
        time.sleep(0.1)


@contextmanager
def idle(port: int, count: int) -> Iterator[None]:
    """Keep connections open that do nothing."""
    command, pipe = [sys.executable, "-m", "bench.growth.idle", str(port), str(count)], subprocess.PIPE
    with subprocess.Popen(command, env=environment({}), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            sys.exit(f"{count} connections could not be opened")
        try:
            yield
        finally:
            process.stdin.close()


def connections(directory: Path) -> list[Row]:
    """Measure memory against connections that are open and idle, each time of a new process."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < (needed := max(OPEN) + SPARE):
        sys.exit(f"this machine allows {allowed} open files (`ulimit -Hn`), not {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    rows = []
    with standin(1) as at:
        for name, options in PATIENT.items():
            for count in OPEN:
                port, row = free_port(), Row(name, CONNECTIONS)
                command = [*COLLECTORS[name](port, directory), *options]
                with serving(command, port, at) as collector, idle(port, count):
                    row.add(size=count, memory=memory(collector.pid))
                rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--seconds", type=int, default=1, help="seconds of each run (default: 1)")
    asked = parser.parse_args()
    demand_peers()
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        rows = [
            grown(axis, size, asked.rounds, asked.seconds, directory) for axis in AXES for size in axis.sizes
        ]
        rows += connections(directory)
    conclude("growth", report, rows, **vars(asked), connections=CLIENTS)


if __name__ == "__main__":
    main()
