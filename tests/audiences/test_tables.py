"""What a sync asks of DuckDB, with DuckDB."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from headgate.audiences import tables
from headgate.audiences.calls import Computation
from headgate.audiences.columns import Columns
from headgate.audiences.members import Members
from headgate.audiences.snapshot import Snapshot
from headgate.audiences.tables import DuckTables
from headgate.errors import UsageError
from tests.audiences.conftest import S3


def duck(s3: S3, *locations: str, told: list[Snapshot] | None = None) -> DuckTables:
    members = Members(s3.session, locations, "--members")
    tell = (told if told is not None else []).append
    return DuckTables(members, Columns(), Computation("audience", "spender", "s"), tell)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_snapshot_in_s3_is_compared_and_becomes_the_state(s3: S3, scratch: Path) -> None:
    told: list[Snapshot] = []
    s3.put("m/1.csv", b"user_id\nu1\nu2\n")
    s3.put("m/2.jsonl", b'{"user_id": "u2"}\n{"user_id": "u3"}\n')
    one = duck(s3, f"s3://{s3.name}/m/", told=told)
    counts = one.compare(None, scratch / "changes.parquet")
    assert (counts.entered, counts.members, told[0].duplicates) == (3, 3, 1)
    [batch] = one.read(scratch / "changes.parquet", 0)
    assert [number for number, *_ in batch] == [0, 1, 2]
    left_out = batch[1][2]
    state = scratch / "state.parquet"
    assert one.apply(None, scratch / "changes.parquet", [(0, 1), (2, 3)], state) == 2
    assert one.compare(state, scratch / "changes.parquet").unchanged == 2
    [again] = one.read(scratch / "changes.parquet", 0)
    assert [user for _, _, user, _ in again] == [left_out]
    assert {each.name for each in scratch.iterdir()} == {"changes.parquet", "state.parquet"}


def test_a_message_names_an_object_by_its_location(s3: S3, scratch: Path) -> None:
    s3.put("m.csv", b"id\nu1\n")
    with pytest.raises(UsageError) as refused:
        duck(s3, f"s3://{s3.name}/m.csv").compare(None, scratch / "changes.parquet")
    assert f"s3://{s3.name}/m.csv" in str(refused.value)
    assert str(scratch) not in str(refused.value)


def test_ctrl_c_ends_what_duckdb_does(s3: S3, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(db: Any, *_: Any) -> None:
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
        db.execute("SELECT count(*) FROM range(500_000_000) WHERE hash(range) = 1").fetchall()

    (scratch / "m.csv").touch()
    monkeypatch.setattr(tables, "read_snapshot", long)
    with pytest.raises(KeyboardInterrupt):
        duck(s3, str(scratch / "m.csv")).compare(None, scratch / "changes.parquet")
