"""The difference between a snapshot and the delivered state, and the state once changes are delivered.

State and changes are Parquet. A state has a row for each member: `kind`, `id`, `value` (JSON text). Changes
have `number` (0, 1, 2 and so on, in the order of the file), `kind`, `id`, `value` (to be sent), `was` (null
for who was no member) and `member` (whether the user is one afterwards).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.audiences.db import failing, read_parquet, text
from headgate.audiences.runs import runs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Ranges = Sequence[tuple[int, int]]
"""Numbers of changes: sorted [start, end) that do not overlap."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a snapshot differs from the delivered state: counts of identifiers."""

    entered: int
    left: int
    changed: int
    """Members whose value is another."""
    unchanged: int
    members_before: int
    members_now: int

    @property
    def calls(self) -> int:
        """How many calls tell it."""
        return self.entered + self.left + self.changed


def write_changes(db: "DuckDBPyConnection", state: Path | None, to: Path, *, left: str) -> Difference:
    """Write the changes that lead from a delivered state to the snapshot, and return what they are.

    They are in an order in which neighbours have keys of any shard.

    Args:
        db: where `read_snapshot` left the snapshot.
        state: the delivered state; None before the first sync.
        to: the file; what was there is replaced.
        left: what who left is sent: `Computation.left`.

    Raises:
        HeadgateError: the state cannot be read, or there is no room for the changes.
    """
    with failing(f"{state or to} cannot be compared with the snapshot"):
        _view(db, state)
        both = """
            SELECT kind, id, value, false AS member FROM before
            UNION ALL SELECT kind, id, value, true FROM snapshot
        """
        changes = f"""
            SELECT
                kind, id, CASE WHEN member THEN value ELSE {text(left)} END AS value,
                CASE WHEN NOT member THEN value WHEN again THEN previous END AS was, member
            FROM runs
            WHERE CASE WHEN member THEN NOT again OR value <> previous ELSE last END
        """
        with runs(db, both, then="member"):
            _copy(db, f"SELECT row_number() OVER () - 1 AS number, * FROM ({changes})", to)
        counts = f"""
            SELECT
                count(*) FILTER (was IS NULL), count(*) FILTER (NOT member),
                count(*) FILTER (was IS NOT NULL AND member),
                (SELECT count(*) FROM before), (SELECT count(*) FROM snapshot)
            FROM {read_parquet(to)}
        """
        entered, gone, changed, before, now = db.execute(counts).fetchall()[0]
    return Difference(entered, gone, changed, now - entered - changed, before, now)


def write_state(
    db: "DuckDBPyConnection", state: Path | None, changes: Path, delivered: Ranges, to: Path
) -> int:
    """Write the state once some changes are delivered, and return how many members it has.

    Args:
        db: a connection; nothing of it is used but its memory.
        state: the state before; None before the first sync.
        changes: what `write_changes` wrote.
        delivered: the numbers of the changes that were acknowledged.
        to: the file; what was there is replaced.

    Raises:
        HeadgateError: a file cannot be read, or there is no room for the state.
    """
    with failing(f"{state or changes} cannot be made into the next state"):
        _view(db, state)
        [(total,)] = db.execute(f"SELECT count(*) FROM {read_parquet(changes)}").fetchall()
        gaps = _gaps(delivered, total)
        db.execute(
            "CREATE OR REPLACE TEMP TABLE gaps AS "
            "SELECT unnest(?::BIGINT[]) AS first, unnest(?::BIGINT[]) AS past",
            [[first for first, _ in gaps], [past for _, past in gaps]],
        )
        both = f"""
            SELECT kind, id, value, member, false AS is_before FROM {read_parquet(changes)}
            ANTI JOIN (SELECT unnest(range(first, past)) AS number FROM gaps) USING (number)
            UNION ALL SELECT kind, id, value, true, true FROM before
        """
        with runs(db, both, then="is_before"):
            after = "SELECT kind, id, value FROM runs WHERE member AND NOT (is_before AND again)"
            members = _copy(db, after, to)
        db.execute("DROP TABLE gaps")
    return members


def _copy(db: "DuckDBPyConnection", rows: str, to: Path) -> int:
    """Write rows to a file, and return how many there were."""
    # Row groups are held in memory whole, and identifiers and values may be long.
    options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
    [(count,)] = db.execute(f"COPY ({rows}) TO ? ({options})", [str(to)]).fetchall()
    return int(count)


def _view(db: "DuckDBPyConnection", state: Path | None) -> None:
    """Make the delivered state the view `before`."""
    if state is None:
        members = "SELECT ''::VARCHAR AS kind, ''::VARCHAR AS id, ''::VARCHAR AS value WHERE false"
    else:
        members = f"SELECT kind, id, value FROM {read_parquet(state)}"
    db.execute(f"CREATE OR REPLACE TEMP VIEW before AS {members}")


def _gaps(delivered: Ranges, total: int) -> list[tuple[int, int]]:
    """Return the ranges of [0, total) that are not delivered."""
    edges = [(0, 0), *delivered, (total, total)]
    gaps = [(end, start) for (_, end), (start, _) in pairwise(edges) if start != end]
    if any(start > end for start, end in gaps):
        raise ValueError(f"ranges that are not sorted, overlap or go beyond {total}")
    return gaps
