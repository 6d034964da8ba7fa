"""The same second sync with Python's own sets: `python -m bench.audience.sets DIRECTORY`."""

import sys
from contextlib import closing
from pathlib import Path

from headgate.audiences.db import connect

BATCH = 10_000


def users(directory: Path, name: str, column: str) -> set[str]:
    with closing(connect(directory, threads=1)) as db:
        rows = db.execute(f"SELECT {column} FROM read_parquet(?)", [str(directory / name)])
        found: set[str] = set()
        while batch := rows.fetchmany(BATCH):
            found.update(user for (user,) in batch)
    return found


if __name__ == "__main__":
    at = Path(sys.argv[1])
    before, now = users(at, "state-1.parquet", "id"), users(at, "now.parquet", "user_id")
    print(len(now - before), len(before - now))
