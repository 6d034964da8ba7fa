"""The two other sides of a measurement as processes: a stand-in that costs little, and Headgate's own fake.

The stand-in (`bench.standin`) takes everything, so nothing but its answers' latency can be chosen. The fake
(`headgate.testing`) throttles, fails on command and keeps count of what it accepted.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import environment
from headgate.testing import FakeKinesis
from tests.delivery.wire.kinesis import certificate

STREAM = "events"
KEEP = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**28)}
"""Has glibc give nothing back: pages fetched anew for each large request cost most of the CPU otherwise."""
UNLIMITED = ("--records-per-second", "0", "--bytes-per-second", "0")


@dataclass(frozen=True)
class Kinesis:
    """One of them, running."""

    url: str
    certificate: Path | None = None
    """What its clients have to trust; None without TLS."""

    def environment(self) -> dict[str, str]:
        """The environment in which AWS's SDKs and tools talk to it, whatever their language."""
        trust = dict.fromkeys(("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(self.certificate))
        return {
            **FakeKinesis().environment(),
            "AWS_ENDPOINT_URL": self.url,
            **(trust if self.certificate else {}),
        }


@dataclass(frozen=True)
class StandIn(Kinesis):
    """Takes every record of every stream."""

    counts_url: str = ""

    def records(self) -> int:
        """How many records it has taken."""
        return int(self._counts()["records"])

    def cpu(self) -> float:
        """CPU seconds that it has taken itself."""
        return float(self._counts()["cpu"])

    def described(self) -> int:
        """How often somebody asked for a stream's largest record, the last thing to be asked of one."""
        return int(self._counts()["calls"].get("DescribeStreamSummary", 0))

    def _counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = ask(self.counts_url)
        return counts


@dataclass(frozen=True)
class Fake(Kinesis):
    """Headgate's own fake, with one stream."""

    def totals(self) -> dict[str, int]:
        """What its shards were offered and what they accepted: records and bytes."""
        totals: dict[str, int] = ask(f"{self.url}/_headgate/ledger")["totals"]
        return totals

    def add_fault(self, fault: dict[str, Any]) -> None:
        """Let something go wrong from now on."""
        ask(f"{self.url}/_headgate/faults", fault)


def ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
        return json.load(answer)


@contextmanager
def standin(shards: int, *, tls: bool = False, latency: float = 0.0) -> Iterator[StandIn]:
    """Run the stand-in.

    Args:
        shards: of each stream.
        tls: whether it is met over HTTPS.
        latency: seconds that every answer is held back.
    """
    with tempfile.TemporaryDirectory() as directory:
        pem = combined_certificate(Path(directory)) if tls else None
        options = ["--shards", str(shards), "--latency", str(latency)]
        with started("bench.standin", options + (["--certificate", str(pem)] if pem else [])) as said:
            plain, *secure = said.split()
            counts = f"http://127.0.0.1:{plain}/counts"
            url = f"https://localhost:{secure[0]}" if secure else f"http://localhost:{plain}"
            yield StandIn(url, pem, counts)


@contextmanager
def fake(shards: int, options: Sequence[str] = UNLIMITED, *, latency: float = 0.0) -> Iterator[Fake]:
    """Run the fake.

    Args:
        shards: of its stream.
        options: of `python -m headgate.testing`; with none at all it throttles as Kinesis does.
        latency: seconds that every answer is held back.
    """
    command = ["--stream", STREAM, "--shards", str(shards), "--ledger", "counts", *options]
    with started("headgate.testing", command) as said:
        running = Fake(said.strip().replace("127.0.0.1", "localhost"))
        if latency:
            running.add_fault({"fault": "Delay", "seconds": latency})
        yield running


@contextmanager
def started(module: str, options: Sequence[str]) -> Iterator[str]:
    """Run a module that says in its first line where it listens; yield that line."""
    command = [sys.executable, "-m", module, *options]
    with subprocess.Popen(command, env=environment(KEEP), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()


def combined_certificate(directory: Path) -> Path:
    """Make a certificate and its key in one file."""
    pem, _ = certificate(directory)
    pem.write_bytes(pem.read_bytes() + pem.with_name("key.pem").read_bytes())
    return pem
