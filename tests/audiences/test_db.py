"""DuckDB as the audiences use it: in bounded memory, offline, and named where it is missing."""

import builtins
import importlib
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from headgate.audiences.db import connect
from headgate.errors import HeadgateError


def test_without_duckdb_one_line_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "duckdb":
            raise ModuleNotFoundError(name=name)
        return really(name, *rest)

    monkeypatch.delitem(sys.modules, "headgate.audiences.db")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HeadgateError, match=r"pip install 'headgate\[audiences\]'"):
        importlib.import_module("headgate.audiences.db")


def test_what_memory_does_not_hold_goes_into_scratch_and_is_gone_afterwards(tmp_path: Path) -> None:
    with closing(connect(tmp_path, "16MB", threads=1)) as db:
        db.execute("CREATE TABLE t AS SELECT md5(i::VARCHAR) AS id FROM range(500000) r(i)")
        assert any(tmp_path.iterdir())
        db.execute("CREATE TABLE sorted AS SELECT * FROM t ORDER BY id")
        assert db.execute("SELECT count(*) FROM sorted").fetchall() == [(500_000,)]
    assert not any(tmp_path.iterdir())


def test_no_extension_is_fetched(tmp_path: Path) -> None:
    with closing(connect(tmp_path)) as db:
        asked = (
            "SELECT name FROM duckdb_settings() WHERE name LIKE 'auto%_known_extensions' AND value = 'true'"
        )
        assert db.execute(asked).fetchall() == []
