"""docs/http-api.md says what is so."""

import inspect
import re
from pathlib import Path

import pytest

from headgate.cli.serve import serve
from headgate.ingest.answers import MAX_RETRY_AFTER, REASONS
from headgate.ingest.limits import HttpLimits
from headgate.ingest.paths import NAMES
from headgate.settings.schema import ORIGIN
from headgate.spec.prepare import Limits
from tests.ingest.serving import request
from tests.ingest.wire import Wire

TEXT = (Path(__file__).parents[2] / "docs/http-api.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading."""
    [rows] = re.findall(rf"^\| {heading}.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


PATHS = [(path, methods) for paths, methods, _ in table("path") for path in re.findall(r"`([^`]+)`", paths)]


@pytest.mark.parametrize(("path", "method"), PATHS)
def test_every_path_is_one_and_takes_its_method(path: str, method: str) -> None:
    wire = Wire().send(request(path.replace("{writeKey}", "wk"), b"{}", method=method))
    assert wire.answers[0].status in (200, 400)
    other = "POST" if method == "GET" else "GET"
    wire = Wire().send(request(path.replace("{writeKey}", "wk"), b"{}", method=other))
    assert path.startswith("/v1/pixel/") or wire.answers[0].status == 405


def test_every_call_has_its_path() -> None:
    assert {f"/v1/{name}" for name in NAMES} <= {path for path, _ in PATHS}


def test_the_statuses_are_all_there_are() -> None:
    assert [int(status) for status, *_ in table("status")] == sorted(REASONS)
    assert f"1 to {MAX_RETRY_AFTER}" in TEXT


def test_the_limits_are_those_in_force() -> None:
    http, events = HttpLimits(), Limits()
    rows = table("limit")
    assert [int(default.replace(",", "")) for _, default, _ in rows] == [
        *(
            http.request_bytes,
            events.event_bytes,
            events.events,
            http.connections,
            http.head_bytes,
            http.headers,
        ),
        *(http.held_bytes, http.head_seconds, http.body_seconds, http.unread_seconds, http.idle_seconds),
    ]
    options = inspect.signature(serve).parameters
    for _, default, option in rows:
        if option:
            assert options[option.strip("`-").replace("-", "_")].default == int(default.replace(",", ""))


def test_the_entries_of_allowed_origins_are_some() -> None:
    for entry, _ in table("entry"):
        assert ORIGIN.fullmatch(entry.strip('`"'))
