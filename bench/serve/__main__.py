"""CPU of the whole forwarder, beside a collector of FastAPI and aiobotocore: `python -m bench.serve`."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench.budgets import conclude
from bench.kinesis import standin
from bench.processes import cpu, memory
from bench.results import Row, demand_peers
from bench.serve.report import report
from bench.serve.requests import scripts
from bench.serving import COLLECTORS, free_port, send, serving

SHARDS = 8
CONNECTIONS = 64


def measured(rounds: int, seconds: int, directory: Path, to: str) -> list[Row]:
    kinds = scripts(directory)
    rows = [Row(name, kind, to) for kind in kinds for name in COLLECTORS]
    with standin(SHARDS, tls=to == "TLS") as at:
        for number in range(rounds):
            for row in rows[:: 1 if number % 2 else -1]:
                script, events = kinds[row.what]
                port = free_port()
                with serving(COLLECTORS[row.who](port, directory), port, at) as collector:
                    send(collector.url, script, CONNECTIONS, 1)  # warms up
                    before, accepted = cpu(collector.pid), at.records()
                    sent = send(collector.url, script, CONNECTIONS, seconds)
                    taken, accepted = cpu(collector.pid) - before, at.records() - accepted
                    if sent.refused or accepted < sent.requests * events:
                        sys.exit(f"{row.who}: {sent.refused} refused; {accepted} of {sent.requests} arrived")
                    row.add(
                        cpu=taken / (sent.requests * events) * 1e6,
                        events=sent.per_second * events,
                        p99=sent.p99,
                        memory=memory(collector.pid, "VmHWM"),
                    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="runs of each, in turn (default: 4)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each run (default: 2)")
    asked = parser.parse_args()
    demand_peers()
    with tempfile.TemporaryDirectory() as directory:
        rows = [
            row
            for to in ("HTTP", "TLS")
            for row in measured(asked.rounds, asked.seconds, Path(directory), to)
        ]
    conclude("serve", report, rows, **vars(asked), shards=SHARDS, connections=CONNECTIONS)


if __name__ == "__main__":
    main()
