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

from headgate.audiences.db import failing, read_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Ranges = Sequence[tuple[int, int]]
"""Numbers of changes: sorted [start, end) that do not overlap."""

_PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"


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

    They are ordered by a hash of the identifier: neighbours have keys of any shard.

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
        db.execute(
            """
            CREATE OR REPLACE TEMP TABLE changes AS
            SELECT
                coalesce(snapshot.kind, before.kind) AS kind,
                coalesce(snapshot.id, before.id) AS id,
                coalesce(snapshot.value, $left) AS value,
                before.value AS was,
                snapshot.id IS NOT NULL AS member
            FROM snapshot FULL JOIN before ON snapshot.kind = before.kind AND snapshot.id = before.id
            WHERE snapshot.value IS DISTINCT FROM before.value
            """,
            {"left": left},
        )
        db.execute("SET preserve_insertion_order = true")
        db.execute(
            f"""
            COPY (
                SELECT row_number() OVER () - 1 AS number, *
                FROM (SELECT * FROM changes ORDER BY hash(id))
            ) TO ? {_PARQUET}
            """,
            [str(to)],
        )
        db.execute("SET preserve_insertion_order = false")
        counts = """
            SELECT
                count(*) FILTER (was IS NULL), count(*) FILTER (NOT member),
                count(*) FILTER (was IS NOT NULL AND member),
                (SELECT count(*) FROM before), (SELECT count(*) FROM snapshot)
            FROM changes
        """
        entered, gone, changed, before, now = db.execute(counts).fetchall()[0]
        db.execute("DROP TABLE changes")
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
        applied = f"""
            SELECT kind, id, value, member FROM {read_parquet(changes)}
            ANTI JOIN (SELECT unnest(range(first, past)) AS number FROM gaps) USING (number)
        """
        written = db.execute(
            f"""
            COPY (
                WITH applied AS ({applied})
                SELECT kind, id, value FROM before ANTI JOIN applied USING (kind, id)
                UNION ALL
                SELECT kind, id, value FROM applied WHERE member
            ) TO ? {_PARQUET}
            """,
            [str(to)],
        ).fetchall()
        db.execute("DROP TABLE gaps")
    members: int = written[0][0]
    return members


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
