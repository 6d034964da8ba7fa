"""What a sync of an audience costs: `python -m bench.audience`."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.audience.data import ENTERING, LEAVING
from bench.kinesis import fake
from bench.processes import environment, worker
from bench.tables import print_table

BUDGET_SECONDS, OF_MEMBERS = 60, 10_000_000
"""CPU of the difference of so many members and so many."""
BUDGET_MIB = 1024
BUDGET_MICROSECONDS = 8
"""CPU of a call: payload, lanes and puts."""
SHARDS = 8
LATENCY = 0.01
WAYS = {
    "payload": "payload",
    "json": "the same with a dictionary, uuid5 and json.dumps",
    "read": "changes read from their file, and payload",
    "deliver": "changes read, payload, lanes and puts",
}


def measured(module: str, *arguments: str) -> tuple[float, float, list[int]]:
    """Run a process; return its CPU seconds, its MiB at most, and the numbers that it prints."""
    command = [sys.executable, "-m", f"bench.audience.{module}", *arguments]
    process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, [int(each) for each in said.split()]


def differences(directory: Path, members: int) -> bool:
    """Measure the difference; return whether it is within its budget."""
    measured("data", str(directory), str(members))
    one_percent = [members // ENTERING, members // LEAVING]
    runs = {
        "Headgate, the first sync: everyone": (("difference", str(directory), "first"), [members, 0]),
        "Headgate, 1 % changed": (("difference", str(directory), "second"), one_percent),
        "Python's sets, 1 % changed; no new state": (("sets", str(directory)), one_percent),
    }
    allowed = BUDGET_SECONDS * members / OF_MEMBERS
    rows: list[list[object]] = []
    within = True
    for name, (command, expected) in runs.items():
        seconds, mib, found = measured(*command)
        if found != expected:
            sys.exit(f"{name}: {found} entered and left, instead of {expected}")
        if ours := command[0] == "difference":
            within = within and seconds <= allowed and mib <= BUDGET_MIB
        rows.append([name, seconds, allowed if ours else "", mib, BUDGET_MIB if ours else ""])
    print_table([f"{members:,} members", "CPU s", "must", "MiB at most", "must"], rows)
    return within


def calls(directory: Path, count: int, rounds: int) -> bool:
    """Measure the calls; return whether they are within their budget."""
    changes = str(directory / "changes-first.parquet")
    costs: dict[str, list[float]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        at = stack.enter_context(fake(SHARDS, latency=LATENCY))
        command = [sys.executable, "-m", "bench.audience.ours", changes, str(count)]
        workers = {way: stack.enter_context(worker([*command, way], at.environment())) for way in WAYS}
        accepted = at.totals()["accepted_records"]
        for _ in range(rounds):
            for way in WAYS:
                costs[way].append(workers[way].work()[0] / count * 1e6)
        accepted = at.totals()["accepted_records"] - accepted
        if accepted != count * rounds:
            sys.exit(f"the stand-in took {accepted:,} records: not all, or some twice")
    print_table(
        [f"CPU microseconds per call, median of {rounds}", "CPU", "must"],
        (
            [WAYS[way], statistics.median(each), BUDGET_MICROSECONDS if way == "deliver" else ""]
            for way, each in costs.items()
        ),
    )
    print(f"\nsingle runs of the last: {[round(each, 1) for each in sorted(costs['deliver'])]}")
    return statistics.median(costs["deliver"]) <= BUDGET_MICROSECONDS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.audience", description=__doc__)
    parser.add_argument(
        "--members", type=int, default=1_000_000, help="of each snapshot (default: 1,000,000)"
    )
    parser.add_argument("--calls", type=int, default=100_000, help="of each run (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn (default: 5)")
    asked = parser.parse_args()
    if asked.calls > asked.members:
        sys.exit(f"--calls is {asked.calls:,}; allowed: at most --members, {asked.members:,}")
    with tempfile.TemporaryDirectory() as directory:
        within = differences(Path(directory), asked.members)
        print()
        within = calls(Path(directory), asked.calls, asked.rounds) and within
    sys.exit(not within)


if __name__ == "__main__":
    main()
