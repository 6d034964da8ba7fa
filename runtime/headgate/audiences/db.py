"""DuckDB, which compares what is larger than memory: one connection for one sync, on disk only in scratch."""

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.errors import HeadgateError

try:
    import duckdb
except ModuleNotFoundError:
    raise HeadgateError(
        "this command needs an extra that is not installed: pip install 'headgate[audiences]'"
    ) from None

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Error = duckdb.Error
"""Base of DuckDB's errors. Their texts have many lines, and may quote what is in a file."""
InvalidInput = duckdb.InvalidInputException
MEMORY = "512MB"
"""What DuckDB's buffers may take; the process as a whole needs some 150 MB more."""


def connect(scratch: Path, memory: str = MEMORY, threads: int = 2) -> "DuckDBPyConnection":
    """Return a connection to an empty database; what does not fit into memory goes into `scratch`.

    Args:
        scratch: a directory with room for a few times the snapshot; what is put there is removed on closing.
        memory: the limit, as DuckDB writes sizes.
        threads: at most so many cores.
    """
    return duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(scratch),
            # Nothing is ever fetched: what is used is in the wheel.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Turn DuckDB's errors into one line.

    Raises:
        HeadgateError: `what`, and what DuckDB says first.
    """
    try:
        yield
    except Error as error:
        raise HeadgateError(f"{what}: {first_line(error)}") from None


def first_line(error: Error) -> str:
    """Return the first line of an error, without the class that it begins with and without any value."""
    line = str(error).strip().split("\n", 1)[0]
    return re.sub(r"^[A-Z][A-Za-z -]* Error: |: value \".*", "", line).rstrip(". ")


def read_parquet(path: Path) -> str:
    """Return the SQL that reads one Parquet file."""
    return f"read_parquet({one_path(path)}, hive_partitioning = false)"


def one_path(path: Path) -> str:
    """Return a path as SQL writes it, with nothing in it that stands for other paths."""
    return text(glob.escape(str(path)))


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
