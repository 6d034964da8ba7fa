"""The stand-in for Kinesis: Headgate's own fake as a process, for Headgate and its peers alike."""

import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.processes import environment
from headgate.testing import FakeKinesis
from tests.delivery.wire.kinesis import certificate

STREAM = "events"
UNLIMITED = ("--records-per-second", "0", "--bytes-per-second", "0")


@dataclass(frozen=True)
class Kinesis:
    """A running stand-in."""

    url: str
    certificate: Path | None

    def environment(self) -> dict[str, str]:
        """The environment in which AWS's SDKs and tools talk to it, whatever their language."""
        trust = dict.fromkeys(("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(self.certificate))
        return {
            **FakeKinesis().environment(),
            "AWS_ENDPOINT_URL": self.url,
            **(trust if self.certificate else {}),
        }

    def totals(self) -> dict[str, int]:
        """What its shards were offered and what they accepted: records and bytes."""
        totals: dict[str, int] = self._ask("ledger")["totals"]
        return totals

    def calls(self) -> dict[str, int]:
        """How often each operation was called."""
        calls: dict[str, int] = self._ask("ledger")["calls"]
        return calls

    def add_fault(self, fault: dict[str, Any]) -> None:
        """Let something go wrong from now on."""
        self._ask("faults", fault)

    def reset(self) -> None:
        """Begin anew."""
        self._ask("reset", {})

    def _ask(self, what: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        trusted = ssl.create_default_context(cafile=self.certificate) if self.certificate else None
        asked = urllib.request.Request(f"{self.url}/_headgate/{what}", data)
        with urllib.request.urlopen(asked, timeout=20, context=trusted) as answer:
            return json.load(answer)


@contextmanager
def kinesis(
    shards: int, options: Sequence[str] = UNLIMITED, *, tls: bool = False, latency: float = 0.0
) -> Iterator[Kinesis]:
    """Run a stand-in with one stream.

    Args:
        shards: of the stream.
        options: of `python -m headgate.testing`; without any it throttles nothing.
        tls: whether it serves HTTPS.
        latency: seconds that every answer is held back.
    """
    command = [sys.executable, "-m", "headgate.testing", "--stream", STREAM, "--shards", str(shards)]
    with tempfile.TemporaryDirectory() as directory:
        pem = _certificate(Path(directory)) if tls else None
        command += ["--ledger", "counts", *options, *(("--certificate", str(pem)) if pem else ())]
        process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            at = urlsplit(process.stdout.readline().strip())
            running = Kinesis(f"{at.scheme}://localhost:{at.port}", pem)
            if latency:
                running.add_fault({"fault": "Delay", "seconds": latency})
            yield running
        finally:
            process.terminate()
            process.wait(20)


def _certificate(directory: Path) -> Path:
    pem, _ = certificate(directory)
    pem.write_bytes(pem.read_bytes() + pem.with_name("key.pem").read_bytes())
    return pem
