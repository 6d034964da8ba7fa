"""docs/testing.md is true: its code runs, and its tables name what there is."""

import inspect
import re
from pathlib import Path
from typing import Any, get_args

from headgate.testing import FakeKinesis, Ledger, admin
from headgate.testing.faults import Fault
from headgate.testing.front import CborSupport
from headgate.testing.operations import OPERATIONS
from headgate.testing.query import SERVICES
from headgate.testing.requests import OperationName

DOCS = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return DOCS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> str:
    return "".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))


def test_the_code_runs_and_its_test_passes() -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    for block in blocks:
        exec(block, names)
    with FakeKinesis(streams={"events": 4}) as kinesis:
        names["test_every_event_arrives_once_though_records_fail"](kinesis)
        assert kinesis.ledger.calls["PutRecords"] > 1


def test_the_table_names_every_argument() -> None:
    named = set(re.findall(r"`(\w+)`", first_cells(section("In a test"))))
    assert named == set(inspect.signature(FakeKinesis.__init__).parameters) - {"self"}
    described = set(re.findall(r"^    (\w+): ", inspect.getdoc(FakeKinesis) or "", re.MULTILINE))
    assert described == named
    assert all(f'"{support}"' in section("In a test") for support in get_args(CborSupport))


def test_the_table_names_every_fault() -> None:
    assert set(re.findall(r"`(\w+)\(", first_cells(section("Faults")))) == {
        each.__name__ for each in get_args(Fault)
    }


def test_the_table_names_every_query() -> None:
    named = set(re.findall(r"`(\w+)", first_cells(section("What happened"))))
    assert named == {
        name
        for name in vars(Ledger)
        if not name.startswith("_") and name not in ("accept", "count", "log", "clear", "full", "streams")
    }


def test_the_table_names_every_admin_request() -> None:
    requests = r"`([A-Z]+ /_headgate/\w+)`"
    assert re.findall(requests, section("As a process")) == re.findall(requests, admin.__doc__ or "")


def test_every_operation_has_its_name_and_is_told_of() -> None:
    assert set(get_args(OperationName)) == OPERATIONS.keys() | SERVICES.keys()
    assert all(operation in section("Streams and shards") for operation in OPERATIONS)
    assert all(operation in DOCS for operation in SERVICES if operation != "GetCallerIdentity")


def test_no_other_room_imports_it() -> None:
    package = Path(inspect.getfile(FakeKinesis)).parents[1]
    others = [path for path in package.rglob("*.py") if path.parent.name != "testing"]
    assert len(others) > 20
    assert [path for path in others if "headgate.testing" in path.read_text(encoding="utf-8")] == []
