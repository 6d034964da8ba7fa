"""What goes wrong, who delivers meanwhile, and what a stream then holds."""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

from bench.budgets import LANE, STRICT, THROTTLED
from bench.kinesis import STREAM
from bench.processes import JAVASCRIPT, PEERS, environment, node
from headgate.testing import UNLIMITED, AcceptedRecord, Delay, FailRecords, FakeKinesis, Limits, Outage
from headgate.testing.faults import Fault

SHARDS, KEYS = 4, 200
LATENCY = 0.01
BEGINS = 0.25
"""Of all records, how many are in when an outage begins."""
PATIENCE = 300
"""Seconds after which a contender is stopped."""


@dataclass(frozen=True)
class Scenario:
    """What goes wrong."""

    name: str
    limits: Limits = UNLIMITED
    from_the_start: Fault | None = None
    later: Fault | None = None
    oversize: bool = False
    """Whether the record in the middle is larger than the stream takes."""


SCENARIOS = (
    Scenario("nothing wrong"),
    Scenario(
        THROTTLED, from_the_start=FailRecords(code="ProvisionedThroughputExceededException", probability=0.05)
    ),
    Scenario(f"{SHARDS} shards of 1,000 a second", limits=Limits()),
    Scenario("6 s of answers 500", later=Outage(answer=500, lasting=6)),
    Scenario("40 s of answers 500", later=Outage(answer=500, lasting=40)),
    Scenario("one record of 1.2 MB", oversize=True),
)


def commands(scenario: Scenario, records: int) -> dict[str, list[str]]:
    """Everybody's command by what the table calls it."""
    asked = [str(records), str(KEYS), str(records // 2 if scenario.oversize else -1)]
    ours = [sys.executable, "-m", "bench.losses.ours"]
    return {
        STRICT: [*ours, "strict", *asked],
        LANE: [*ours, "lane", *asked],
        "boto3, resend what failed": [sys.executable, "-m", "bench.peers.boto3_resend", *asked],
        "boto3, and after exceptions": [sys.executable, "-m", "bench.peers.boto3_patient", *asked],
        "aiobotocore, 8 in flight": [str(PEERS), "-m", "bench.peers.aiobotocore_resend", *asked],
        "AWS SDK for JavaScript v3, 8 in flight": [node(), str(JAVASCRIPT / "sdk_resend.mjs"), *asked],
    }


@dataclass(frozen=True)
class Found:
    """What a stream holds of numbered records."""

    missing: int
    """Without the one that no stream takes."""
    duplicates: int
    inversions: int
    """Records behind a later one of their key, where both came for the first time."""
    requests: int
    seconds: float
    stopped: bool
    """Whether the contender ended with an error."""


def run(scenario: Scenario, who: str, records: int) -> Found:
    """Let one deliver while something goes wrong."""
    with FakeKinesis(streams={STREAM: SHARDS}, limits=scenario.limits, seed=3) as fake:
        fake.faults.add(Delay(seconds=LATENCY))
        if scenario.from_the_start:
            fake.faults.add(scenario.from_the_start)
        quiet, began = subprocess.DEVNULL, time.monotonic()
        process = subprocess.Popen(
            commands(scenario, records)[who], env=environment(fake.environment()), stdout=quiet, stderr=quiet
        )
        if scenario.later:
            while process.poll() is None and len(fake.ledger.records()) < BEGINS * records:
                time.sleep(0.005)
            fake.faults.add(scenario.later)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        seconds = time.monotonic() - began
        numbers = Counter(map(number, fake.ledger.records()))
        return Found(
            missing=records - scenario.oversize - len(numbers),
            duplicates=numbers.total() - len(numbers),
            inversions=sum(map(inversions, fake.ledger.by_partition_key().values())),
            requests=fake.ledger.calls["PutRecords"],
            seconds=seconds,
            stopped=process.returncode != 0,
        )


def number(record: AcceptedRecord) -> int:
    return int(record.data[:20])


def inversions(records: list[AcceptedRecord]) -> int:
    latest, found, seen = -1, 0, set[int]()
    for each in map(number, records):
        if each not in seen:
            found += each < latest
            latest = max(latest, each)
            seen.add(each)
    return found
