"""Rows of the same identifier next to each other, however many rows there are and however little memory.

A GROUP BY or a JOIN would say the same, but the least size of DuckDB's hash tables grows with the count of
different identifiers: at 20 million half a gigabyte does not hold it. Its sort makes do with any memory, if
what it sorts is one table: a UNION ALL of a small part and a large one ends for want of memory too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def runs(db: "DuckDBPyConnection", rows: str, then: str) -> Iterator[None]:
    """Make the rows the view `runs`, those of an identifier one after the other, for as long as the context.

    Its columns are those of the rows and `again`, whether the row before is of the same identifier, that
    row's value as `previous`, and `last`, whether no row of the same identifier follows. Identifiers are in
    the order of a hash, so that neighbours have partition keys of any shard.

    Args:
        db: where.
        rows: a query that has `kind`, `id` and `value`.
        then: its column that orders the rows of one identifier.
    """
    same = "kind = {0}(kind) OVER () AND id = {0}(id) OVER ()"
    db.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {rows}")
    # Without PARTITION BY and ORDER BY of its own a window function looks at rows as they come.
    db.execute(f"""
        CREATE OR REPLACE TEMP VIEW runs AS
        SELECT
            *, coalesce({same.format("lag")}, false) AS again, lag(value) OVER () AS previous,
            NOT coalesce({same.format("lead")}, false) AS last
        FROM (SELECT * FROM staged ORDER BY hash(id), kind, id, {then})
    """)
    yield
    db.execute("DROP VIEW runs")
    db.execute("DROP TABLE staged")
