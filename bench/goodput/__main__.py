"""How much of throttling shards' limits is used: `python -m bench.goodput`."""

import argparse
import json
import subprocess
import sys
import time

from bench.budgets import conclude
from bench.goodput.ours import KEYS
from bench.goodput.report import report
from bench.kinesis import fake
from bench.processes import environment
from bench.results import OURS, Row

SHARDS, LIMIT = 4, 1_000
"""The fake throttles as Kinesis does: records of 800 bytes meet the limit of records a second first."""
OVERLOAD = 1.5
SETTLING_IN = 5
"""Seconds that do not count: the shards begin with a second's worth saved up, and paces are found."""


def use_of_shards(row: Row, command: list[str], seconds: int) -> Row:
    """Let one work, and note what a throttling stream made of it."""
    with fake(SHARDS, (), latency=0.02) as at:
        pipe, more = subprocess.PIPE, environment(at.environment())
        with subprocess.Popen(command, env=more, stdout=pipe, text=True) as process:
            while not at.totals()["offered_records"]:
                time.sleep(0.1)
            time.sleep(SETTLING_IN)
            before, began = at.totals(), time.monotonic()
            time.sleep(seconds)
            after, elapsed = at.totals(), time.monotonic() - began
            if not row.ours:
                process.terminate()
            said, _ = process.communicate(timeout=60)
        gained = {name: after[name] - before[name] for name in after}
        row.add(
            share=gained["accepted_records"] / elapsed / (SHARDS * LIMIT) * 100,
            again=(gained["offered_bytes"] / gained["accepted_bytes"] - 1) * 100,
        )
        if row.ours:
            told = json.loads(said)
            row.add(lost=max(told["acknowledged"] - at.totals()["accepted_records"], 0))
            row.add(**{f"told {name}": count for name, count in told.items()})
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.goodput", description=__doc__)
    parser.add_argument(
        "--seconds", type=int, default=20, help="seconds of overload that count (default: 20)"
    )
    asked = parser.parse_args()
    rate, lasting = int(OVERLOAD * SHARDS * LIMIT), asked.seconds + SETTLING_IN + 2
    ours = [sys.executable, "-m", "bench.goodput.ours", str(rate), str(lasting)]
    resend = [sys.executable, "-m", "bench.peers.boto3_resend", str(rate * lasting * 9), str(KEYS)]
    rows = [
        use_of_shards(Row(OURS), ours, asked.seconds),
        use_of_shards(Row("boto3, resend what failed"), resend, asked.seconds),
    ]
    about = {"shards": SHARDS, "overload": OVERLOAD, "settling": SETTLING_IN}
    conclude("goodput", report, rows, **vars(asked), **about)


if __name__ == "__main__":
    main()
