"""The health check of the image: what it says of a forwarder, and how little of one it loads."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from demo.processes import free_port
from headgate import health

RUNTIME = Path(health.__file__).parents[1]


@contextmanager
def answering(status: int | None) -> Iterator[tuple[int, list[str]]]:
    """Serve `status`, or what is no HTTP, on a port; give the port and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if status is None:
                self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                return
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def test_a_forwarder_that_answers_200_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(200) as (port, asked):
        assert health.main([str(port)]) == 0
    assert asked == ["/healthz"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("status", [204, 404, 503])
def test_another_answer_is_told_in_one_line(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(status) as (port, _):
        assert health.main([str(port)]) == 1
    said = f"headgate.health: http://127.0.0.1:{port}/healthz: answered {status}\n"
    assert capsys.readouterr() == ("", said)


def test_a_port_where_nobody_listens_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main([str(port := free_port())]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"headgate.health: http://127.0.0.1:{port}/healthz: ")
    assert err.endswith("Connection refused\n")
    assert err.count("\n") == 1


def test_what_speaks_no_http_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(None) as (port, _):
        assert health.main([str(port)]) == 1
    said = f"headgate.health: http://127.0.0.1:{port}/healthz: answered something that is no HTTP\n"
    assert capsys.readouterr().err == said


def test_a_forwarder_that_says_nothing_is_not_waited_for_long() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # it accepts, and nobody reads
        assert health.fault_of(server.server_port, timeout=0.05) == "timed out"


@pytest.mark.parametrize("arguments", [["0"], ["65536"], ["-1"], ["http"], [""], ["8080", "8081"]])
def test_what_is_no_port_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(arguments) == 1
    said = f"headgate.health: takes one port, 1 to 65535, or none; not {' '.join(arguments)!r}\n"
    assert capsys.readouterr().err == said


def test_it_loads_nothing_more_of_headgate_and_nothing_that_is_not_pythons_own() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "headgate.health", str(free_port())]
    done = subprocess.run(command, cwd=RUNTIME, capture_output=True, text=True, timeout=30)
    loaded = {
        line.split("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")
    }
    assert {name for name in loaded if name.startswith("headgate")} == {"headgate"}
    assert not {name.split(".")[0] for name in loaded} & {"boto3", "botocore", "aiohttp", "typer", "msgspec"}
