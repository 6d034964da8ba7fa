"""Memory of a worker at full load while Kinesis is down: `python -m bench.outage`."""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from bench.budgets import BATCH
from bench.kinesis import fake
from bench.processes import memory
from bench.serve.requests import scripts
from bench.serving import free_port, headgate, send, serving
from bench.tables import print_table

SHARDS = 8
CONNECTIONS = 256
MOST, AIM = 256, 128
"""MiB."""
SAMPLES = 10
AFTERWARDS = 15
"""Seconds of load from when Kinesis is back."""
OUTAGES: dict[str, dict[str, Any]] = {
    "every answer is 503": {"fault": "Outage", "answer": 503},
    "no answer comes": {"fault": "HangConnection"},
}


@dataclass(frozen=True)
class Course:
    """What became of a forwarder in an outage."""

    before: float
    """MiB after some seconds at full load, while Kinesis took everything."""
    samples: list[float]
    """MiB at equal distances while it was down."""
    most: float
    """MiB at most, from the start to the end."""
    recovered: int
    """Records that were accepted once Kinesis was back."""


def course(fault: dict[str, Any], seconds: int) -> Course:
    port = free_port()
    with tempfile.TemporaryDirectory() as directory, fake(SHARDS) as at:
        script, _ = scripts(Path(directory))[BATCH]
        with serving(headgate(port, Path(directory)), port, at) as forwarder:
            send(forwarder.url, script, CONNECTIONS, 3)
            before = memory(forwarder.pid)
            at.add_fault(fault | {"lasting": seconds})
            load = Thread(target=send, args=(forwarder.url, script, CONNECTIONS, seconds + AFTERWARDS))
            load.start()
            samples = []
            for _ in range(SAMPLES):
                time.sleep(seconds / SAMPLES)
                samples.append(memory(forwarder.pid))
            accepted = at.totals()["accepted_records"]
            load.join()
            recovered = at.totals()["accepted_records"] - accepted
            return Course(before, samples, memory(forwarder.pid, "VmHWM"), recovered)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--seconds", type=int, default=50, help="how long Kinesis is down (default: 50)")
    seconds = parser.parse_args().seconds
    courses = [course(fault, seconds) for fault in OUTAGES.values()]
    rows: list[list[object]] = [["before", *(each.before for each in courses)]]
    for number in range(SAMPLES):
        passed = f"after {(number + 1) * seconds / SAMPLES:g} s"
        rows.append([passed, *(each.samples[number] for each in courses)])
    rows.append(["at most, from start to end", *(each.most for each in courses)])
    print_table(["MiB of one worker", *OUTAGES], rows)
    recovered = [each.recovered for each in courses]
    print(f"\nmust: {MOST}, aim: {AIM}; records taken in {AFTERWARDS} s from its end: {recovered}")
    sys.exit(any(each.most > MOST or not each.recovered for each in courses))


if __name__ == "__main__":
    main()
