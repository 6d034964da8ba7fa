"""The snapshot, states and changes of a sync as DuckDB reads and writes them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from headgate.audiences import changes as stored
from headgate.audiences.calls import Change, Computation
from headgate.audiences.columns import Columns
from headgate.audiences.db import connect
from headgate.audiences.difference import write_changes, write_state
from headgate.audiences.members import Members
from headgate.audiences.ranges import Pairs
from headgate.audiences.record import Counts
from headgate.audiences.snapshot import Snapshot, read_snapshot
from headgate.errors import HeadgateError


class DuckTables:
    """What a sync asks of DuckDB; between two questions nothing of it is in memory.

    Args:
        members: the files of the snapshot.
        columns: what to read of them.
        computation: the audience or trait.
        tell: told what was read.
    """

    def __init__(
        self, members: Members, columns: Columns, computation: Computation, tell: Callable[[Snapshot], None]
    ) -> None:
        self._members = members
        self._columns = columns
        self._computation = computation
        self._tell = tell

    def compare(self, state: Path | None, changes: Path) -> Counts:
        """Write the changes from a state to the snapshot, and return what they come to."""
        fetched = changes.parent / "members"
        fetched.mkdir()
        files = self._members.files(fetched)
        with _interruptible(), closing(connect(changes.parent)) as db:
            try:
                snapshot = read_snapshot(db, list(files), self._columns)
            except HeadgateError as error:
                raise type(error)(_with_locations(str(error), files)) from None
            shutil.rmtree(fetched)
            self._tell(snapshot)
            found = write_changes(db, state, changes, left=self._computation.left)
        return Counts(
            entered=found.entered,
            left=found.left,
            changed=found.changed,
            unchanged=found.unchanged,
            members_before=found.members_before,
            members=found.members_now,
        )

    def apply(self, state: Path | None, changes: Path, delivered: Pairs, to: Path) -> int:
        """Write the state after the changes that were delivered, and return how many members it has."""
        with _interruptible(), closing(connect(to.parent)) as db:
            return write_state(db, state, changes, delivered, to)

    def read(self, changes: Path, start: int) -> Iterator[list[Change]]:
        """Yield the changes of a file, from a number on."""
        return stored.read(changes, start)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C be what it is elsewhere: DuckDB, which looks for it, makes another error of it."""
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None


def _with_locations(said: str, files: dict[Path, str]) -> str:
    """Return a message that names files of S3 by their locations, not by where their copies are."""
    for path, location in files.items():
        said = said.replace(str(path), location)
    return said
