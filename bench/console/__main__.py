"""How soon the console's pages are there, and what it costs to have them open: `python -m bench.console`."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import boto3

from bench.console.pages import Visit, visiting
from bench.kinesis import STREAM, Fake, ask, fake
from bench.processes import cpu, environment
from bench.serving import free_port, headgate, serving
from bench.tables import print_table
from bench.tail.events import EVENTS, event
from headgate.console.pages import NAVIGATION

MOST_CONTENTFUL = 300
"""Milliseconds to a page's first contentful paint."""
SHARDS = 4
A_REQUEST = 500
SETTLED_SECONDS = 5.0
"""After which a page that was opened, and a stream into which nothing is put any more, are quiet."""
LETTER = (
    '{"time":"2026-01-02T03:04:05Z","origin":{"source_id":"bench0","region":"us-west-2","stream_name":"%s",'
    '"role_address":null},"partition_key":"user-1","data":"e30=","code":"too_large","message":"no good"}\n'
)


@dataclass(frozen=True)
class Console:
    """A running console."""

    pid: int
    link: str


@contextmanager
def console(at: Fake, directory: Path) -> Iterator[Console]:
    """Run a console, with a forwarder to look at, sources in a file, and some dead letters in another."""
    port, status = free_port(), free_port()
    letters = directory / "letters.jsonl"
    letters.write_text(LETTER % STREAM * 100)
    with serving(headgate(port, directory, "--status-port", str(status)), port, at):
        command = [Path(sys.executable).with_name("headgate"), "console", "--no-open"]
        command += ["--sources", directory / "sources.toml", "--dead-letter-file", letters]
        command += [
            "--forwarder",
            f"http://127.0.0.1:{port}",
            "--status",
            f"http://127.0.0.1:{status}/statusz",
        ]
        with subprocess.Popen(
            command, env=environment(at.environment()), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            yield Console(process.pid, process.stdout.readline().strip())
            process.terminate()


def idle(visit: Visit, of: Console, seconds: float) -> float:
    """Return the CPU seconds that the console takes in a minute of which Overview is open."""
    with visit.page("/") as page:
        page.wait_for_timeout(SETTLED_SECONDS * 1_000)
        before = cpu(of.pid)
        page.wait_for_timeout(seconds * 1_000)
        return (cpu(of.pid) - before) / seconds * 60


def live(visit: Visit, of: Console, at: Fake, records: int, rate: int) -> tuple[float, int]:
    """Return the CPU seconds of a million records with Live events open, and how often it asked for some."""
    kinesis = boto3.client(
        "kinesis",
        region_name="us-west-2",
        endpoint_url=at.url,
        aws_access_key_id="bench",
        aws_secret_access_key="unchecked",
    )
    with visit.page("/live") as page:
        page.wait_for_timeout(SETTLED_SECONDS * 1_000)
        reads, before, began = asked_for_records(at), cpu(of.pid), time.monotonic()
        for start in range(0, records, A_REQUEST):
            page.wait_for_timeout(max(began + start / rate - time.monotonic(), 0) * 1_000)
            kinesis.put_records(
                StreamName=STREAM,
                Records=[
                    {"Data": event(number % EVENTS), "PartitionKey": f"user-{number}"}
                    for number in range(start, start + A_REQUEST)
                ],
            )
        page.wait_for_timeout(SETTLED_SECONDS * 1_000)
        return (cpu(of.pid) - before) / records * 1e6, asked_for_records(at) - reads


def asked_for_records(at: Fake) -> int:
    return int(ask(f"{at.url}/_headgate/ledger")["calls"].get("GetRecords", 0))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="loads of each page (default: 7)")
    parser.add_argument("--idle", type=float, default=60, help="seconds of Overview (default: 60)")
    parser.add_argument("--records", type=int, default=100_000, help="of Live events (default: 100,000)")
    parser.add_argument("--rate", type=int, default=4_000, help="of them a second (default: 4,000)")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        fake(SHARDS) as at,
        console(at, Path(directory)) as running,
        visiting(running.link) as visit,
    ):
        loads = {
            entry.title: [visit.painted(entry.path) for _ in range(asked.rounds)] for entry in NAVIGATION
        }
        of_a_minute = idle(visit, running, asked.idle)
        of_records, reads = live(visit, running, at, asked.records, asked.rate)
    contentful = {title: median(each.contentful for each in of) for title, of in loads.items()}
    print_table(
        [f"a page, median of {asked.rounds}", "first paint, ms", "first contentful paint, ms", "must", "KB"],
        (
            [
                title,
                median(each.first for each in of),
                contentful[title],
                MOST_CONTENTFUL,
                median(each.bytes for each in of) / 1e3,
            ]
            for title, of in loads.items()
        ),
    )
    print()
    costs = {
        "a minute with Overview open, and no traffic": of_a_minute,
        f"a million records with Live events open, {asked.rate:,} a second": of_records,
    }
    print_table(["the process of the console", "CPU s"], costs.items())
    print(f"\nLive events asked {reads:,} times for records" + ("" if reads else ": it reads no stream"))
    sys.exit(max(contentful.values()) > MOST_CONTENTFUL)


if __name__ == "__main__":
    main()
