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

from bench.budgets import TAIL, conclude
from bench.kinesis import Kinesis, combined_certificate, started
from bench.processes import ROOT, environment
from bench.results import Row
from bench.tail.events import RARE
from bench.tail.report import report
from headgate.reading.get_records import MOST_RECORDS

SHARDS = 64
HEADGATE = [str(Path(sys.executable).with_name("headgate")), "tail", "events", "--since", "trim-horizon"]
RARE_USER = f"{TAIL} --user-id: one in {RARE} fits"
STATS = f"{TAIL} --stats"
COMMANDS = {
    TAIL: HEADGATE,
    f"{TAIL} --type track: all fit": [*HEADGATE, "--type", "track"],
    RARE_USER: [*HEADGATE, "--user-id", "user-rare"],
    STATS: [*HEADGATE, "--stats"],
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
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turn (default: 2)")
    parser.add_argument("--answers", type=int, default=1, help="answers of each shard (default: 1)")
    asked = parser.parse_args()
    records = SHARDS * MOST_RECORDS * asked.answers
    rows = {(name, to): Row(name, to=to) for name in COMMANDS for to in ("HTTP", "TLS")}
    # What a process takes to begin and to end does not grow with the records.
    with stream(0) as empty, stream(asked.answers) as full:
        for _ in range(asked.rounds):
            for (name, to), row in rows.items():
                none, some = run(COMMANDS[name], empty[to]), run(COMMANDS[name], full[to])
                check(name, some, asked.answers)
                row.add(
                    cpu=(some.cpu - none.cpu) / records * 1e6,
                    rate=records / (some.seconds - none.seconds),
                    memory=some.memory,
                )
    conclude("tail", report, rows.values(), **vars(asked), shards=SHARDS, records=records)


def check(name: str, ran: Run, answers: int) -> None:
    """End when a command did not print every record that it had to."""
    fit = range(0, MOST_RECORDS, RARE) if name == RARE_USER else range(MOST_RECORDS)
    expected = SHARDS * answers * len(fit)
    if name != STATS and ran.lines != expected:
        sys.exit(f"{name} printed {ran.lines:,} lines, not {expected:,}")


if __name__ == "__main__":
    main()
