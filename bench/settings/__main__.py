"""What ten thousand sources in a table cost: `python -m bench.settings`."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import cpu, environment, memory
from bench.settings.ours import ROLE, TABLE
from bench.tables import print_table
from headgate.testing import FakeKinesis

MOST_CHANGED = 0.25
"""CPU seconds of a worker that takes one changed source of ten thousand over."""


@contextmanager
def table() -> Iterator[str]:
    """Run the stand-in; yield its URL."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bench.settings.endpoint"]
    with subprocess.Popen(command, env=environment({}), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def ours(count: int, more: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.settings.ours", str(count)]
    ran = subprocess.run(command, env=environment(more), stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def started(more: dict[str, str]) -> dict[str, float]:
    """Start `headgate serve`; return what it took until it served, and what it holds then."""
    headgate = Path(sys.executable).with_name("headgate")
    command = [headgate, "serve", "--sources", f"dynamodb://{TABLE}", "--port", "0", "--status-port", "0"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--drain", "0"],
        env=environment(more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if '"serving"' in line:
                seconds = time.monotonic() - began
                return {"seconds": seconds, "cpu": cpu(process.pid), "MiB": memory(process.pid)}
        sys.exit("headgate serve has not served")
    finally:
        process.kill()
        process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.settings", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--sources", type=int, default=10_000, help="sources of the table (default: 10,000)")
    asked = parser.parse_args()
    said, starts = [], []
    for _ in range(asked.rounds):
        with (
            table() as url,
            FakeKinesis(streams={"events": 1}) as kinesis,
            tempfile.TemporaryDirectory() as here,
        ):
            kinesis.identities.add_role(ROLE, external_ids=None)
            more = kinesis.environment()
            more |= {f"AWS_ENDPOINT_URL_{each}": url for each in ("DYNAMODB", "KMS")}
            more["BENCH_FILE"] = f"{here}/sources.toml"
            said.append(ours(asked.sources, more))
            starts.append(started(more))
    print_table(
        [f"{asked.sources:,} sources, median of {asked.rounds}", "CPU ms", "ms"],
        (
            [name, *(1e3 * median(run["costs"][name][what] for run in said) for what in ("cpu", "seconds"))]
            for name in said[0]["costs"]
        ),
    )
    start = {what: median(run[what] for run in starts) for what in starts[0]}
    print(
        f"| headgate serve, until it serves | {1e3 * start['cpu']:,.0f} | {1e3 * start['seconds']:,.0f} |\n"
    )
    print_table(
        ["looking up", "microseconds"],
        ([name, median(run["us"][name] for run in said)] for name in said[0]["us"]),
    )
    held = median(run["mib"] for run in said)
    print(f"\n{held:.0f} MiB for sources and routes; headgate serve holds {start['MiB']:.0f} MiB")
    one = [
        run["costs"]["look, one changed"]["cpu"] + run["costs"]["routes after that"]["cpu"] for run in said
    ]
    print(f"one changed source: {median(one):.2f} s of CPU; must: {MOST_CHANGED:g}")
    sys.exit(median(one) > MOST_CHANGED)


if __name__ == "__main__":
    main()
