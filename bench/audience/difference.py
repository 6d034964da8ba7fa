"""Headgate's difference: `python -m bench.audience.difference DIRECTORY first|second`.

The first sync is of everyone; the second compares with the state that the first leaves.
"""

import sys
from contextlib import closing
from pathlib import Path

from headgate.audiences.columns import Columns
from headgate.audiences.db import connect
from headgate.audiences.difference import write_changes, write_state
from headgate.audiences.snapshot import read_snapshot


def difference(directory: Path, which: str) -> None:
    scratch = directory / "scratch"
    scratch.mkdir(exist_ok=True)
    first = which == "first"
    state = None if first else directory / "state-1.parquet"
    changes, after = directory / f"changes-{which}.parquet", directory / f"state-{1 if first else 2}.parquet"
    members = directory / ("before.parquet" if first else "now.parquet")
    with closing(connect(scratch)) as db:
        read_snapshot(db, [members], Columns())
        found = write_changes(db, state, changes, left="false")
        write_state(db, state, changes, [(0, found.calls)], after)
    print(found.entered, found.left)


if __name__ == "__main__":
    difference(Path(sys.argv[1]), sys.argv[2])
