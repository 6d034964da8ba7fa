"""Collectors as processes, and wrk, which sends to them."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ingest.requests import WRITE_KEY
from bench.kinesis import STREAM, Kinesis
from bench.processes import PEERS, environment


@dataclass(frozen=True)
class Collector:
    """A running collector."""

    pid: int
    url: str


def headgate(port: int, directory: Path) -> list[str]:
    """The command of the forwarder, with one source of one destination."""
    sources = directory / "sources.toml"
    sources.write_text(
        f'[[sources]]\nid = "bench"\nwrite_keys = ["{WRITE_KEY}"]\n'
        f'[[sources.destinations]]\nregion = "us-west-2"\nstream_name = "{STREAM}"\n'
    )
    program = str(Path(sys.executable).with_name("headgate"))
    return [
        program,
        "serve",
        "--sources",
        str(sources),
        "--port",
        str(port),
        "--status-port",
        "-1",
        "--drain",
        "0",
    ]


def fastapi(port: int, _: Path) -> list[str]:
    """The command of the peer."""
    fast = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [str(PEERS), "-m", "uvicorn", "bench.peers.fastapi_batcher:app", "--port", str(port), *fast]


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
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", said).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit]


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    return found[1] if found else sys.exit(f"wrk said:\n{said}")
