"""Time to an acknowledgement at half of capacity: `python -m bench.acknowledge`."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.acknowledge.report import report
from bench.budgets import conclude
from bench.kinesis import StandIn, standin
from bench.processes import environment
from bench.results import OURS, Row, demand_peers
from bench.serve.requests import scripts
from bench.serving import COLLECTORS, free_port, send, serving

SHARDS = 8
LATENCY = 0.01
CONNECTIONS = 256


def capacity(name: str, script: Path, at: StandIn, directory: Path, seconds: int) -> float:
    """Return how many requests a second a collector answers at most."""
    port = free_port()
    with serving(COLLECTORS[name](port, directory), port, at) as collector:
        send(collector.url, script, CONNECTIONS, 1)  # warms up
        return send(collector.url, script, CONNECTIONS, seconds).per_second


def delays(
    name: str, events: int, rate: float, at: StandIn, directory: Path, seconds: int
) -> dict[str, float]:
    """Return the median and the 99th percentile, in milliseconds, at a steady rate of requests."""
    port = free_port()
    with serving(COLLECTORS[name](port, directory), port, at):
        command = [sys.executable, "-m", "bench.acknowledge.client"]
        command += map(str, (port, events, rate, seconds, CONNECTIONS))
        said = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(f"{name}: {said.stderr}")
        found: dict[str, float] = json.loads(said.stdout)
        return found


def measured(rounds: int, seconds: int, directory: Path) -> list[Row]:
    rows = []
    with standin(SHARDS, latency=LATENCY) as at:
        for kind, (script, events) in scripts(directory).items():
            most = {name: capacity(name, script, at, directory, seconds) for name in COLLECTORS}
            [peer] = COLLECTORS.keys() - {OURS}
            own, same = f"{kind}, half of its own most", f"{kind}, half of the peer's most"
            runs = [(Row(name, own), name, most[name] / 2) for name in COLLECTORS]
            runs.append((Row(OURS, same), OURS, most[peer] / 2))
            for number in range(rounds):
                for row, name, rate in runs[:: 1 if number % 2 else -1]:
                    found = delays(name, events, rate, at, directory, seconds)
                    row.add(most=most[name] * events, rate=rate * events, p50=found["p50"], p99=found["p99"])
            rows += [row for row, _, _ in runs]
            rows += [Row(peer, same, figures=row.figures) for row, name, _ in runs if name == peer]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.acknowledge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default: 3)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each run (default: 3)")
    asked = parser.parse_args()
    demand_peers()
    with tempfile.TemporaryDirectory() as directory:
        rows = measured(asked.rounds, asked.seconds, Path(directory))
    conclude("acknowledge", report, rows, **vars(asked), latency=LATENCY, connections=CONNECTIONS)


if __name__ == "__main__":
    main()
