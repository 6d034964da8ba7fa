"""CPU of the whole forwarder, beside a collector of FastAPI and aiobotocore: `python -m bench.serve`."""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from statistics import median

from bench.ingest.requests import EVENTS
from bench.kinesis import standin
from bench.processes import PEERS, cpu, memory
from bench.serve.requests import scripts
from bench.serving import fastapi, free_port, headgate, send, serving
from bench.tables import print_table

SHARDS = 8
CONNECTIONS = 64
COLLECTORS = {"Headgate": headgate, "FastAPI, aiobotocore": fastapi}
MOST = {"one event a request": 28.0, f"batches of {EVENTS}": 8.0}
"""CPU seconds per million events, over HTTP."""
AIM = {"one event a request": 22.0, f"batches of {EVENTS}": 6.0}


@dataclass
class Cost:
    """Figures of one collector with one kind of requests, of each run."""

    cpu: list[float] = field(default_factory=list)
    """Seconds per million events."""
    events: list[float] = field(default_factory=list)
    """A second."""
    p99: list[float] = field(default_factory=list)
    """Milliseconds."""
    memory: list[float] = field(default_factory=list)
    """MiB at most."""


Costs = dict[tuple[str, str], Cost]
"""By kind of requests and collector."""


def measured(rounds: int, seconds: int, directory: Path, *, tls: bool) -> Costs:
    costs: Costs = {}
    kinds = scripts(directory)
    with standin(SHARDS, tls=tls) as at:
        for number in range(rounds):
            for name in list(COLLECTORS)[:: 1 if number % 2 else -1]:
                for kind, (script, events) in kinds.items():
                    port = free_port()
                    with serving(COLLECTORS[name](port, directory), port, at) as collector:
                        send(collector.url, script, CONNECTIONS, 1)  # warms up
                        before, accepted = cpu(collector.pid), at.records()
                        sent = send(collector.url, script, CONNECTIONS, seconds)
                        taken = cpu(collector.pid) - before
                        accepted = at.records() - accepted
                        if sent.refused or accepted < sent.requests * events:
                            sys.exit(f"{name}: {sent.refused} refused; {accepted} of {sent.requests} arrived")
                        cost = costs.setdefault((kind, name), Cost())
                        cost.cpu.append(taken / (sent.requests * events) * 1e6)
                        cost.events.append(sent.per_second * events)
                        cost.p99.append(sent.p99)
                        cost.memory.append(memory(collector.pid, "VmHWM"))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default: 5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each run (default: 2)")
    asked = parser.parse_args()
    if not PEERS.exists():
        sys.exit("the peers have an environment of their own; `make bench` makes it")
    with tempfile.TemporaryDirectory() as directory:
        plain, tls = (
            measured(asked.rounds, asked.seconds, Path(directory), tls=tls) for tls in (False, True)
        )
    rows = []
    for title, costs in (("HTTP", plain), ("TLS", tls)):
        for (kind, name), cost in costs.items():
            ours = median(costs[kind, "Headgate"].cpu)
            figures = [median(each) for each in (cost.events, cost.p99, cost.memory)]
            rows.append(
                [f"{kind}, {title} to Kinesis", name, median(cost.cpu), median(cost.cpu) / ours, *figures]
            )
    head = ["", f"median of {asked.rounds}", "CPU s per million events", "ratio"]
    print_table([*head, "events a second", "p99, ms", "MiB at most"], sorted(rows, key=itemgetter(0)))
    print(f"\nover HTTP, must: {MOST}; aim: {AIM}")
    sys.exit(any(median(plain[kind, "Headgate"].cpu) > most for kind, most in MOST.items()))


if __name__ == "__main__":
    main()
