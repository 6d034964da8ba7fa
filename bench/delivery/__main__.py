"""CPU of delivery alone, beside the SDKs of AWS at the same stand-in: `python -m bench.delivery`."""

import argparse
import sys
from contextlib import ExitStack

from bench.budgets import conclude
from bench.delivery.report import report
from bench.kinesis import standin
from bench.processes import JAVASCRIPT, PEERS, node, worker
from bench.results import OURS, Row, demand_peers

SHARDS = 8
LATENCY = 0.01


def commands(records: int) -> dict[str, list[str]]:
    """Everybody's command by what the table calls it; ours first."""
    ours = {
        f"{OURS}, {form.upper()}, requests of {per}": ("bench.delivery.ours", str(records), str(per), form)
        for per in (50, 1)
        for form in ("cbor", "json")
    }
    python = {name: [sys.executable, "-m", *arguments] for name, arguments in ours.items()}
    script = str(JAVASCRIPT / "sdk_in_flight.mjs")
    return {
        **python,
        "AWS SDK for JavaScript v3, 8 in flight": [node(), script, str(records)],
        "boto3, one after the other": [sys.executable, "-m", "bench.peers.boto3_loop", str(records)],
        "aiobotocore, 8 in flight": [str(PEERS), "-m", "bench.peers.aiobotocore_in_flight", str(records)],
    }


def measured(records: int, rounds: int, to: str) -> tuple[list[Row], float]:
    """The runs of each; all take turns. Then the CPU seconds of the stand-in, per million records."""
    rows = [Row(name, to=to) for name in commands(records)]
    with ExitStack() as stack:
        at = stack.enter_context(standin(SHARDS, tls=to == "TLS", latency=LATENCY))
        workers = {
            name: stack.enter_context(worker(command, at.environment()))
            for name, command in commands(records).items()
        }
        before, took = at.records(), at.cpu()
        for number in range(rounds):
            for row in rows[:: 1 if number % 2 else -1]:
                cpu, seconds = workers[row.who].work()
                row.add(cpu=cpu / records * 1e6, rate=records / seconds)
        accepted = at.records() - before
        if accepted != records * rounds * len(workers):
            sys.exit(f"the stand-in took {accepted:,} records: not all, or some twice")
        return rows, (at.cpu() - took) / accepted * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default: 5)")
    parser.add_argument("--records", type=int, default=50_000, help="records of each run (default: 50,000)")
    asked = parser.parse_args()
    demand_peers()
    plain, of_plain = measured(asked.records, asked.rounds, "HTTP")
    tls, of_tls = measured(asked.records, asked.rounds, "TLS")
    conclude(
        "delivery",
        report,
        [*plain, *tls],
        **vars(asked),
        shards=SHARDS,
        latency=LATENCY,
        standin=round((of_plain + of_tls) / 2, 2),
    )


if __name__ == "__main__":
    main()
