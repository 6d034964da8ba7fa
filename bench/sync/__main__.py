"""A sync of an audience on shards that throttle: `python -m bench.sync`."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from bench.kinesis import STREAM, UNLIMITED, Kinesis, kinesis
from bench.processes import environment
from bench.tables import print_table
from headgate.audiences.folder import Folder
from headgate.audiences.local_store import LocalStore
from headgate.audiences.record import Record

SHARDS, LIMIT = 4, 1_000
LATENCY = 0.02
MOST_TIMES_THE_LIMIT, MOST_CPU = 1.3, 8.0
"""Of the time in which the shards take the calls; microseconds of CPU for a call."""
SOURCES = (
    f'[[sources]]\nid = "bench"\nwrite_keys = ["wk"]\n[[sources.destinations]]\nstream_name = "{STREAM}"\n'
)


@dataclass(frozen=True)
class Run:
    """One sync."""

    lines: list[dict[str, Any]]
    cpu: float
    """Seconds of CPU, user and system."""

    def seconds(self) -> float:
        """Return how long it was sending: from what changed being known to the last acknowledgement."""
        return (self._at("sending", -1) - self._at("difference", 0)).total_seconds()

    def calls(self) -> int:
        calls: int = self.lines[-1]["calls"]
        return calls

    def _at(self, step: str, which: int) -> datetime:
        return datetime.fromisoformat([line["time"] for line in self.lines if line["step"] == step][which])


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


def sync(directory: Path, at: Kinesis) -> Run:
    command = [sys.executable, "-m", "headgate", "audience", "sync", "--name", "Members", "--source", "bench"]
    command += ["--members", "members.parquet", "--state", "kept"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=directory, env=environment(at.environment()), stdout=subprocess.PIPE, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run([json.loads(line) for line in done.stdout.splitlines()], cpu)


def synced(members: int, changes: int, options: tuple[str, ...], latency: float) -> tuple[Run, Run]:
    """Return a sync of the changes, and one right after it that has none."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as directory,
        kinesis(SHARDS, options, latency=latency) as at,
    ):
        prepared(Path(directory), members, changes)
        first, second = sync(Path(directory), at), sync(Path(directory), at)
        assert (first.calls(), second.calls()) == (changes, 0)
        assert at.totals()["accepted_records"] == changes
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="of the audience (default: 1,000,000)")
    parser.add_argument("--changes", type=int, default=100_000, help="calls to send (default: 100,000)")
    asked = parser.parse_args()
    allowed = asked.changes / (SHARDS * LIMIT)
    rows, worst, cpu = [], 0.0, 0.0
    for name, options in {"shards that throttle": (), "shards that take anything": UNLIMITED}.items():
        run, idle = synced(asked.members, asked.changes, options, LATENCY)
        seconds = run.seconds()
        of_a_call = (run.cpu - idle.cpu) / asked.changes * 1e6
        limits = not options
        if limits:
            worst = seconds / allowed
        cpu = of_a_call
        rows.append([name, seconds, asked.changes / seconds, seconds / allowed if limits else "", of_a_call])
    print_table(
        [
            f"{asked.changes:,} calls, {SHARDS} shards",
            "seconds",
            "calls a second",
            "x limits",
            "CPU us a call",
        ],
        rows,
    )
    print(f"\nmust: {MOST_TIMES_THE_LIMIT} x what the shards' limits allow, {MOST_CPU:g} us of CPU a call")
    sys.exit(worst > MOST_TIMES_THE_LIMIT or cpu > MOST_CPU)


if __name__ == "__main__":
    main()
