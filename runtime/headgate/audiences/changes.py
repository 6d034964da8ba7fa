"""The changes of one sync, read back from any of them on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from headgate.audiences.calls import Change
from headgate.audiences.db import connect, failing, read_parquet
from headgate.errors import HeadgateError

BATCH = 5_000
"""Changes of one batch, unless somebody asks for another number."""
_MEMORY = "256MB"


def read(path: Path, start: int, batch: int = BATCH) -> Iterator[list[Change]]:
    """Yield the changes of a file from number `start` on, in their order, so many at a time.

    Memory is bounded by the batch and a few row groups, whatever the file's size.

    Raises:
        HeadgateError: the file cannot be read, or is none that `write_changes` wrote.
    """
    asked = f"SELECT number, kind, id, value FROM {read_parquet(path)} WHERE number >= ?"
    # One thread reads row groups one after the other, so in their order.
    with closing(connect(path.parent, _MEMORY, threads=1)) as db:
        with failing(f"{path} cannot be read"):
            rows = db.execute(asked, [start])
        expected = start
        while True:
            with failing(f"{path} cannot be read"):
                changes: list[Change] = rows.fetchmany(batch)
            if not changes:
                return
            if changes[0][0] != expected or changes[-1][0] != expected + len(changes) - 1:
                raise HeadgateError(f"{path} has no change {expected:,} where it should be")
            expected += len(changes)
            yield changes
