"""A sync of an audience on shards that throttle: `python -m bench.sync`."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.kinesis import STREAM, UNLIMITED, Fake, fake
from bench.processes import cpu, environment
from bench.tables import print_table
from headgate.audiences.folder import Folder
from headgate.audiences.local_store import LocalStore
from headgate.audiences.record import Record

SHARDS, LIMIT = 4, 1_000
LATENCY = 0.02
MOST_OVER, MOST_CPU = 1.3, 8.0
"""Times the seconds that the shards' limits allow; microseconds."""
SOURCES = (
    f'[[sources]]\nid = "bench"\nwrite_keys = ["wk"]\n[[sources.destinations]]\nstream_name = "{STREAM}"\n'
)


@dataclass(frozen=True)
class Sending:
    """What it took to send: from what changed being known to the last acknowledgement."""

    calls: int
    seconds: float
    cpu: float
    """Seconds of CPU, user and system."""


def prepared(directory: Path, members: int, changes: int) -> None:
    """Make a delivered state, and a snapshot of which half of the changes enter and half have left."""
    half = changes // 2
    (directory / "sources.toml").write_text(SOURCES)
    state, snapshot = directory / "state.parquet", directory / "members.parquet"
    user = "'user-' || lpad(n::VARCHAR, 12, '0')"
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT 'userId' AS kind, {user} AS id, 'true' AS value FROM range({members}) _(n)) "
            f"TO '{state}' (COMPRESSION zstd)"
        )
        db.execute(
            f"COPY (SELECT {user} AS user_id FROM range({half}, {members + half}) _(n)) "
            f"TO '{snapshot}' (COMPRESSION zstd)"
        )
    folder = Folder(LocalStore(directory / "kept"), "bench", "members", process="bench")
    kept = folder.keep("state", 1, state)
    folder.replace(
        Record(
            name="Members",
            key="members",
            kind="audience",
            source_id="bench",
            latest=1,
            members=members,
            state=kept,
        )
    )


def sync(directory: Path, at: Fake) -> Sending:
    command = [sys.executable, "-m", "headgate", "audience", "sync", "--name", "Members", "--source", "bench"]
    command += ["--members", "members.parquet", "--state", "kept"]
    began = ended = (0.0, 0.0)
    calls = 0
    with subprocess.Popen(
        command, cwd=directory, env=environment(at.environment()), stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        for line in map(json.loads, running.stdout):
            now = time.monotonic(), cpu(running.pid)
            if line["step"] == "difference":
                began, calls = now, line["calls"]
            elif line["step"] == "sending" and line["settled"] == line["calls"]:
                ended = now
    assert running.returncode == 0
    return Sending(calls, ended[0] - began[0], ended[1] - began[1])


def synced(members: int, changes: int, options: Sequence[str]) -> Sending:
    with tempfile.TemporaryDirectory() as directory, fake(SHARDS, options, latency=LATENCY) as at:
        prepared(Path(directory), members, changes)
        sending = sync(Path(directory), at)
        assert at.totals()["accepted_records"] == sending.calls == changes
    return sending


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="of the audience (default: 1,000,000)")
    parser.add_argument(
        "--calls", type=int, default=100_000, help="to shards that throttle (default: 100,000)"
    )
    parser.add_argument("--free", type=int, default=400_000, help="to shards that do not (default: 400,000)")
    asked = parser.parse_args()
    throttled = synced(asked.members, asked.calls, ())
    free = synced(asked.members, asked.free, UNLIMITED)
    over = throttled.seconds / (asked.calls / (SHARDS * LIMIT))
    of_a_call = free.cpu / free.calls * 1e6
    print_table(
        [
            "sending to four shards",
            "calls",
            "seconds",
            "x what the limits allow",
            "calls a second",
            "CPU us a call",
        ],
        [
            [
                name,
                f"{of.calls:,}",
                of.seconds,
                over if of is throttled else "",
                of.calls / of.seconds,
                of.cpu / of.calls * 1e6,
            ]
            for name, of in {"that throttle": throttled, "that take anything": free}.items()
        ],
    )
    print(
        f"\nmust: {MOST_OVER} x what the limits allow; {MOST_CPU:g} us of CPU a call, where nothing throttles"
    )
    sys.exit(over > MOST_OVER or of_a_call > MOST_CPU)


if __name__ == "__main__":
    main()
