"""Changes, read back from any number on."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headgate.audiences.changes import read
from headgate.errors import HeadgateError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def written(db: "DuckDBPyConnection", path: Path, numbers: str) -> Path:
    rows = f"SELECT number, 'userId' AS kind, 'u' || number AS id, 'true' AS value FROM {numbers}"
    db.execute(f"COPY ({rows}) TO ? (FORMAT parquet, ROW_GROUP_SIZE 20480)", [str(path)])
    return path


@pytest.mark.parametrize("start", [0, 1, 20_479, 20_480, 40_001, 99_999, 100_000])
def test_changes_come_in_their_order_from_any_of_them_on(
    db: "DuckDBPyConnection", tmp_path: Path, start: int
) -> None:
    path = written(db, tmp_path / "changes '[*].parquet", "range(100000) AS t(number)")
    batches = list(read(path, start, batch=7_000))
    assert [change for batch in batches for change in batch] == [
        (number, "userId", f"u{number}", "true") for number in range(start, 100_000)
    ]
    assert all(len(batch) == 7_000 for batch in batches[:-1])


def test_whoever_stops_reading_can_begin_again(db: "DuckDBPyConnection", tmp_path: Path) -> None:
    path = written(db, tmp_path / "changes.parquet", "range(30) AS t(number)")
    first = next(read(path, 0, batch=10))
    second = next(read(path, len(first), batch=10))
    assert [number for number, *_ in first + second] == list(range(20))


@pytest.mark.parametrize("numbers", ["range(1, 9) AS t(number)", "(VALUES (0), (2)) AS t(number)"])
def test_a_file_whose_numbers_are_not_those_of_changes_is_refused(
    db: "DuckDBPyConnection", tmp_path: Path, numbers: str
) -> None:
    with pytest.raises(HeadgateError, match="has no change 0 where it should be"):
        list(read(written(db, tmp_path / "changes.parquet", numbers), 0))


def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "changes.parquet"
    path.write_bytes(b"no Parquet at all")
    with pytest.raises(HeadgateError, match=r"changes\.parquet cannot be read: ") as failed:
        list(read(path, 0))
    assert "\n" not in str(failed.value)
