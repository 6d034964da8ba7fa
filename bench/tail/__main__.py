"""What `headgate tail` costs, beside a loop of boto3 at the same stand-in: `python -m bench.tail`."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.kinesis import Kinesis, combined_certificate, started
from bench.processes import ROOT, environment
from bench.tables import print_table
from bench.tail.events import EVENTS, RARE, event
from headgate.reading.get_records import MOST_RECORDS

SHARDS = 64
MOST = 20.0
"""CPU seconds per million records: 50,000 a second on one core."""
HEADGATE = [str(Path(sys.executable).with_name("headgate")), "tail", "events", "--since", "trim-horizon"]
ALL = "headgate tail"
COMMANDS = {
    ALL: HEADGATE,
    "headgate tail --type track: all fit": [*HEADGATE, "--type", "track"],
    f"headgate tail --user-id: one in {RARE} fits": [*HEADGATE, "--user-id", "user-rare"],
    "headgate tail --stats": [*HEADGATE, "--stats"],
    "boto3, one shard after the other": [sys.executable, str(ROOT / "bench/peers/boto3_tail.py"), "events"],
}


@dataclass(frozen=True)
class Run:
    """A command that has read everything."""

    cpu: float
    seconds: float
    memory: float
    """MiB at most."""
    lines: int


@contextmanager
def stream(answers: int) -> Iterator[dict[str, dict[str, str]]]:
    """Run the stand-in; yield the environments in which it is met, over HTTP and TLS."""
    with tempfile.TemporaryDirectory() as directory:
        pem = combined_certificate(Path(directory))
        with started("bench.tail.endpoint", [str(SHARDS), str(answers), str(pem)]) as said:
            plain, tls = said.split()
            yield {
                "HTTP": Kinesis(f"http://localhost:{plain}").environment(),
                "TLS": Kinesis(f"https://localhost:{tls}", pem).environment(),
            }


def run(command: list[str], more: dict[str, str]) -> Run:
    """Run a command whose lines are counted by a process of their own."""
    counting = subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment(more), stdout=counting.stdin)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    said, _ = counting.communicate(timeout=20)
    if status:
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return Run(used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024, int(said))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tail", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default: 3)")
    parser.add_argument("--answers", type=int, default=8, help="answers of each shard (default: 8)")
    asked = parser.parse_args()
    records = SHARDS * MOST_RECORDS * asked.answers
    # What a process takes to begin and to end does not grow with the records.
    with stream(0) as empty, stream(asked.answers) as full:
        costs: dict[tuple[str, str], list[float]] = {}
        rates: dict[str, list[float]] = {}
        resident: dict[str, float] = {}
        for _ in range(asked.rounds):
            for name, command in COMMANDS.items():
                for form in empty:
                    none, some = run(command, empty[form]), run(command, full[form])
                    check(name, some, records)
                    costs.setdefault((name, form), []).append((some.cpu - none.cpu) / records * 1e6)
                    if form == "HTTP":
                        rates.setdefault(name, []).append(records / (some.seconds - none.seconds))
                        resident[name] = max(some.memory, resident.get(name, 0))
    print_table(
        [
            f"CPU s per million records, median of {asked.rounds}",
            "HTTP",
            "TLS",
            "records a second",
            "MiB at most",
        ],
        (
            [
                name,
                median(costs[name, "HTTP"]),
                median(costs[name, "TLS"]),
                median(rates[name]),
                resident[name],
            ]
            for name in COMMANDS
        ),
    )
    print(f"\n{records:,} records of {len(event(1))} bytes, {SHARDS} shards; must: {MOST:g}")
    sys.exit(median(costs[ALL, "TLS"]) > MOST)


def check(name: str, ran: Run, records: int) -> None:
    """End when a command did not print every record that it had to."""
    expected = records
    if "--user-id" in name:
        expected = (
            SHARDS
            * sum(number % EVENTS % RARE == 0 for number in range(MOST_RECORDS))
            * (records // SHARDS // MOST_RECORDS)
        )
    if "--stats" not in name and ran.lines != expected:
        sys.exit(f"{name} printed {ran.lines:,} lines, not {expected:,}")


if __name__ == "__main__":
    main()
