"""Two snapshots of an audience: `python -m bench.audience.data DIRECTORY MEMBERS`."""

import sys
from pathlib import Path

from headgate.audiences.db import connect

LEAVING = ENTERING = 200
"""One member in so many: together 1 % of changes."""


def snapshot(directory: Path, name: str, first: int, past: int) -> None:
    """Write so many members as Parquet: a UUID each, in no order."""
    user = "md5(number::VARCHAR)::UUID::VARCHAR"
    rows = f"SELECT {user} AS user_id FROM range({first}, {past}) AS t(number)"
    with connect(directory) as db:
        db.execute(f"COPY ({rows}) TO ? (FORMAT parquet, COMPRESSION zstd)", [str(directory / name)])


if __name__ == "__main__":
    directory, members = Path(sys.argv[1]), int(sys.argv[2])
    snapshot(directory, "before.parquet", 0, members)
    snapshot(directory, "now.parquet", members // LEAVING, members + members // ENTERING)
