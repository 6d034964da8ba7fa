"""The snapshot of an audience's members or a trait's values, read from files into DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.audiences.calls import MAX_REST_BYTES
from headgate.audiences.cells import NO_IDENTIFIER, NO_VALUE
from headgate.audiences.columns import Columns
from headgate.audiences.db import failing
from headgate.audiences.files import cells_of, reading
from headgate.audiences.runs import runs
from headgate.errors import UsageError
from headgate.spec.prepare import Limits

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_BYTES = Limits().event_bytes - MAX_REST_BYTES
"""Of an identifier and a value together, as JSON: with more the event would be too large for the Spec."""

_LONGEST_ESCAPE = 6
_NOBODY = "SELECT '' AS kind, '' AS id, '' AS value, '' AS problem WHERE false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was read. A row counts once for each identifier column, in one of the fields after `rows`."""

    rows: int
    members: int
    """Identifiers in the snapshot: calls, were each of them to be told."""
    duplicates: int
    """Identifiers that were there already."""
    nulls: int
    """Rows without the identifier; with two identifier columns that is usual."""
    empty: int
    """Rows whose identifier is the empty text."""
    without_value: int
    """Identifiers whose value is null, NaN or infinite. They are no members."""
    too_long: int
    """Identifiers that, with their value, do not fit into an event."""


def read_snapshot(db: "DuckDBPyConnection", files: Sequence[Path], columns: Columns) -> Snapshot:
    """Read whom the files name into the view `snapshot`: `kind`, `id` and `value` (JSON text) of each.

    Args:
        db: where to; a snapshot that was read before is replaced.
        files: CSV, JSON lines or Parquet, as their suffixes tell; together they are the snapshot.
        columns: which columns of them.

    Raises:
        UsageError: a file is of no form that is read, cannot be read, lacks a column or holds in it what is
            no identifier or no value; or a user has two values.
        HeadgateError: memory or disk do not suffice.
    """
    parts = " UNION ALL ".join(cells_of(db, files, columns)) or _NOBODY
    with failing("the snapshot cannot be read"):
        with reading(files), runs(db, _judged(parts), then="value"):
            db.execute(
                "CREATE OR REPLACE TEMP TABLE cells AS SELECT kind, id, value, again, "
                "again AND value <> previous AS differs FROM runs"
            )
        db.execute(
            "CREATE OR REPLACE TEMP VIEW snapshot AS "
            "SELECT kind, id, value FROM cells WHERE kind IN ('userId', 'anonymousId') AND NOT again"
        )
        found = db.execute(
            "SELECT kind, count(*) FILTER (NOT again), count(*), count(*) FILTER (differs) "
            "FROM cells GROUP BY kind"
        ).fetchall()
    return _checked({kind: counts for kind, *counts in found}, columns)


def _judged(parts: str) -> str:
    """Return the SQL of the cells; of who is no member `kind` says why, and `id` is the empty text."""
    size = "strlen(id) + strlen(value)"
    exact_size = "strlen(to_json(id)::VARCHAR) + strlen(value)"
    why = f"""
        CASE
            WHEN id IS NULL THEN 'nulls'
            WHEN id = '' THEN 'empty'
            WHEN problem IS NOT NULL THEN problem
            WHEN value IS NULL THEN 'without_value'
            WHEN {size} > {MAX_BYTES // _LONGEST_ESCAPE - 2} AND {exact_size} > {MAX_BYTES} THEN 'too_long'
        END
    """
    return f"""
        SELECT coalesce(why, kind) AS kind, if(why IS NULL, id, '') AS id, if(why IS NULL, value, '') AS value
        FROM (SELECT *, {why} AS why FROM ({parts}))
    """


def _checked(found: dict[str, list[int]], columns: Columns) -> Snapshot:
    """Return the report of what was found: of each kind how many differ, how many there are, conflicts."""

    def times(kind: str) -> int:
        return found[kind][1] if kind in found else 0

    names = " and ".join(repr(name) for _, name in columns.identifiers)
    if count := times(NO_IDENTIFIER):
        raise UsageError(
            f"{count:,} values of {names} are neither texts nor whole numbers, so no identifiers"
        )
    if count := times(NO_VALUE):
        raise UsageError(
            f"{count:,} values of {columns.value!r} are objects or arrays; allowed: texts, numbers, booleans"
        )
    users = [found[kind] for kind, _ in columns.identifiers if kind in found]
    if count := sum(conflicts for *_, conflicts in users):
        raise UsageError(
            f"{count:,} identifiers in {names} have several values of {columns.value!r}; allowed: one each"
        )
    members = sum(distinct for distinct, *_ in users)
    return Snapshot(
        rows=sum(map(times, found)) // len(columns.identifiers),
        members=members,
        duplicates=sum(times(kind) for kind, _ in columns.identifiers) - members,
        nulls=times("nulls"),
        empty=times("empty"),
        without_value=times("without_value"),
        too_long=times("too_long"),
    )
