"""Collectors as processes, and wrk, which sends to them."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ingest.requests import WRITE_KEY
from bench.kinesis import STREAM, Kinesis
from bench.processes import PEERS, environment
from bench.results import OURS


@dataclass(frozen=True)
class Collector:
    """A running collector."""

    pid: int
    url: str


def headgate(port: int, directory: Path, *options: str, destinations: int = 1) -> list[str]:
    """The command of the forwarder, with sources of one destination each."""
    sources = directory / "sources.toml"
    sources.write_text("".join(map(_source, range(destinations))))
    program = str(Path(sys.executable).with_name("headgate"))
    quiet = ["--status-port", "-1", "--drain", "0"]
    return [program, "serve", "--sources", str(sources), "--port", str(port), *quiet, *options]


def write_key(number: int) -> str:
    """The write key of a source; that of the first is in what is sent anyway."""
    return f"{WRITE_KEY}{number or ''}"


def _source(number: int) -> str:
    return (
        f'[[sources]]\nid = "bench{number}"\nwrite_keys = ["{write_key(number)}"]\n'
        f'[[sources.destinations]]\nregion = "us-west-2"\nstream_name = "{STREAM}{number or ""}"\n'
    )


def fastapi(port: int, _: Path, *options: str) -> list[str]:
    """The command of the peer."""
    fast = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    app = "bench.peers.fastapi_batcher:app"
    return [str(PEERS), "-m", "uvicorn", app, "--port", str(port), *fast, *options]


COLLECTORS: dict[str, Callable[[int, Path], list[str]]] = {
    OURS: headgate,
    "FastAPI, aiobotocore": fastapi,
}


@contextmanager
def serving(command: list[str], port: int, at: Kinesis) -> Iterator[Collector]:
    """Run a collector that delivers into `at`."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment(at.environment()), stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command} does not serve")
            time.sleep(0.05)
        yield Collector(process.pid, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Sent:
    """What wrk says of a run."""

    requests: int
    per_second: float
    p99: float
    """Milliseconds that 99 of 100 answers took at most."""
    refused: int
    """Requests that were not answered with 200."""


def send(url: str, script: Path, connections: int, seconds: float) -> Sent:
    """Send as fast as answers come."""
    if shutil.which("wrk") is None:
        sys.exit("wrk sends the requests; on Debian: apt-get install wrk")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Sent(
        requests=int(_found(r"(\d+) requests in", said)),
        per_second=float(_found(r"Requests/sec: +([\d.]+)", said)),
        p99=_milliseconds(_found(r"99% +(\S+)", said)),
        refused=int(refused[1]) if refused else 0,
    )


def _milliseconds(said: str) -> float:
    unit = said.lstrip(".0123456789")
    return float(said.removesuffix(unit)) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit]


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    return found[1] if found else sys.exit(f"wrk said:\n{said}")
