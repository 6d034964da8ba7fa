"""One DuckDB for all tests of a file: each replaces what the one before left in it."""

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from headgate.audiences.db import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DuckDBPyConnection]":
    with closing(connect(tmp_path_factory.mktemp("scratch"), threads=1)) as connected:
        yield connected
