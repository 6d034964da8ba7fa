"""Memory of a worker at full load while Kinesis is down: `python -m bench.outage`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import Any

from bench.budgets import BATCH, ERRORS, SILENCE, conclude
from bench.kinesis import fake
from bench.outage.report import report
from bench.processes import memory
from bench.results import OURS, Row
from bench.serve.requests import scripts
from bench.serving import free_port, headgate, send, serving

SHARDS = 8
CONNECTIONS = 256
SAMPLES = 10
AFTERWARDS = 10
"""Seconds of load from when Kinesis is back."""
OUTAGES: dict[str, dict[str, Any]] = {
    ERRORS: {"fault": "Outage", "answer": 503},
    SILENCE: {"fault": "HangConnection"},
}


def course(what: str, seconds: int) -> Row:
    """Return what became of a forwarder in an outage: MiB, and the records taken once Kinesis was back."""
    port, row = free_port(), Row(OURS, what)
    with tempfile.TemporaryDirectory() as directory, fake(SHARDS) as at:
        script, _ = scripts(Path(directory))[BATCH]
        with serving(headgate(port, Path(directory)), port, at) as forwarder:
            send(forwarder.url, script, CONNECTIONS, 3)
            row.add(before=memory(forwarder.pid))
            at.add_fault(OUTAGES[what] | {"lasting": seconds})
            load = Thread(target=send, args=(forwarder.url, script, CONNECTIONS, seconds + AFTERWARDS))
            load.start()
            for _ in range(SAMPLES):
                time.sleep(seconds / SAMPLES)
                row.add(during=memory(forwarder.pid))
            accepted = at.totals()["accepted_records"]
            load.join()
            row.add(most=memory(forwarder.pid, "VmHWM"))
            row.add(recovered=at.totals()["accepted_records"] - accepted)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="how long Kinesis is down (default: 20)")
    asked = parser.parse_args()
    rows = [course(what, asked.seconds) for what in OUTAGES]
    if not all(row["recovered"] for row in rows):
        sys.exit("nothing was delivered once Kinesis was back")
    conclude("outage", report, rows, **vars(asked), connections=CONNECTIONS, afterwards=AFTERWARDS)


if __name__ == "__main__":
    main()
