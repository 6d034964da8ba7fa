"""The fake as a process of its own, scripted over HTTP."""

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.delivery.wire.kinesis import certificate
from tests.testing.asking import headers


@pytest.fixture
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "headgate.testing", "--shards", "2", "--stream", "events"]
    with subprocess.Popen([*command, "--deny", "ListShards"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


def ask(
    url: str, method: str = "GET", body: Any = None, named: dict[str, str] | None = None
) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, named or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def put(url: str) -> int:
    body = {"StreamName": "events", "Records": [{"Data": "e30=", "PartitionKey": "u1"}]}
    return ask(url + "/", "POST", body, headers("PutRecords"))[0]


def test_it_prints_where_it_listens_and_is_scripted_over_http(url: str) -> None:
    assert urlsplit(url).hostname == "127.0.0.1"
    assert put(url) == 200
    assert ask(url + "/", "POST", {"StreamName": "events"}, headers("ListShards"))[0] == 400
    fault = {
        "fault": "FailRequests",
        "code": "KMSDisabledException",
        "operations": ["PutRecords"],
        "times": 1,
    }
    assert ask(url + "/_headgate/faults", "POST", fault) == (200, {})
    assert [put(url), put(url)] == [400, 200]
    ask(url + "/_headgate/faults", "POST", {"fault": "Outage"})
    assert put(url) == 503
    assert ask(url + "/_headgate/faults", "DELETE") == (200, {})
    status, ledger = ask(url + "/_headgate/ledger")
    assert status == 200
    assert ledger["calls"] == {"PutRecords": 4, "ListShards": 1}
    assert ledger["errors"] == {
        "AccessDeniedException": 1,
        "KMSDisabledException": 1,
        "ServiceUnavailable": 1,
    }
    assert ledger["totals"] == {
        "offered_records": 2, "offered_bytes": 8, "accepted_records": 2, "accepted_bytes": 8,
    }  # fmt: skip
    assert sum(shard["accepted_records"] for shard in ledger["streams"]["events"].values()) == 2
    throttle = {"records_per_second": 0.001, "bytes_per_second": None}
    assert ask(url + "/_headgate/throttle", "POST", throttle) == (200, {})
    put(url), put(url)
    assert ask(url + "/_headgate/ledger")[1]["totals"]["accepted_records"] == 3
    ask(url + "/_headgate/reset", "POST", {})
    assert ask(url + "/_headgate/ledger")[1]["calls"] == {}
    assert put(url) == 200


def test_with_a_certificate_it_serves_https(tmp_path: Path) -> None:
    pem, _ = certificate(tmp_path)
    pem.write_bytes(pem.read_bytes() + pem.with_name("key.pem").read_bytes())
    command = [sys.executable, "-m", "headgate.testing", "--certificate", str(pem)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        at = urlsplit(process.stdout.readline().strip())
        assert at.scheme == "https"
        url, trusted = f"https://localhost:{at.port}/_headgate/ledger", ssl.create_default_context(cafile=pem)
        with urllib.request.urlopen(url, timeout=10, context=trusted) as answer:
            assert json.load(answer)["calls"] == {}
        process.terminate()


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "says"),
    [
        ("faults", "POST", {"fault": "Nothing"}, 400, "Nothing"),
        ("faults", "POST", {"fault": "Outage", "answer": 418}, 400, "$.answer"),
        ("throttle", "POST", {"bytes": 1}, 400, "bytes"),
        ("nothing", "GET", None, 404, "GET nothing"),
    ],
)
def test_a_script_that_cannot_be_is_refused(
    url: str, path: str, method: str, body: Any, status: int, says: str
) -> None:
    got, answer = ask(f"{url}/_headgate/{path}", method, body)
    assert got == status
    assert says in answer["error"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--stream", "a b"), "not 'a b'"),
        (("--deny", "Nothing"), "no operation"),
        (("--host", "192.0.2.1"), "bind"),
        (("--certificate", "nothing.pem"), "does not exist"),
        (("--certificate", __file__), "no PEM file"),
    ],
)
def test_what_cannot_be_served_is_a_usage_error(option: tuple[str, str], says: str) -> None:
    command = [sys.executable, "-m", "headgate.testing", *option]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, env=os.environ | {"COLUMNS": "300"}
    )
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_its_help_has_an_example() -> None:
    command = [sys.executable, "-m", "headgate.testing", "--help"]
    printed = subprocess.run(
        command, capture_output=True, text=True, timeout=30, env=os.environ | {"COLUMNS": "120"}
    )
    assert printed.returncode == 0
    assert "Example: python -m headgate.testing" in printed.stdout
