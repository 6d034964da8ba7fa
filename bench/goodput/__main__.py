"""Use of throttling shards, and order under throttling: `python -m bench.goodput`."""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass

from bench.kinesis import STREAM, fake
from bench.processes import worker
from bench.tables import print_table
from headgate.testing import UNLIMITED, AcceptedRecord, FailRecords, FakeKinesis

SHARDS, LIMIT = 4, 1_000
"""The stand-in throttles as Kinesis does: records of 800 bytes meet the limit of records a second first."""
OVERLOAD = 1.5
SETTLING_IN = 5
"""Seconds that do not count: the shards begin with a second's worth saved up, and paces are found."""
KEYS = 200
THROTTLED = 0.05
MUST = 0.98


@dataclass(frozen=True)
class Use:
    """What a throttling stream made of an offer."""

    share: float
    """Of the shards' limits, what was accepted."""
    sent_again: float
    """Bytes that were sent and refused, per byte accepted."""
    said: dict[str, int]
    lost: int
    """Records that were acknowledged and not accepted."""


def use_of_shards(command: list[str], seconds: int) -> Use:
    with fake(SHARDS, (), latency=0.02) as at, worker(command, at.environment()) as working:
        working.begin()
        time.sleep(SETTLING_IN)
        before, began = at.totals(), time.monotonic()
        time.sleep(seconds)
        after, elapsed = at.totals(), time.monotonic() - began
        said = json.loads(working.end() or "{}") if "bench.goodput.ours" in command else {}
        accepted_in_all = at.totals()["accepted_records"]
    gained = {name: after[name] - before[name] for name in after}
    return Use(
        share=gained["accepted_records"] / elapsed / (SHARDS * LIMIT),
        sent_again=gained["offered_bytes"] / gained["accepted_bytes"] - 1,
        said=said,
        lost=max(said.get("acknowledged", 0) - accepted_in_all, 0),
    )


@dataclass(frozen=True)
class Order:
    """What a stream holds of numbered records."""

    missing: int
    duplicates: int
    inversions: int
    """Records behind a later one of their key."""
    requests: int
    seconds: float


def order(command: list[str], records: int) -> Order:
    with FakeKinesis(streams={STREAM: SHARDS}, limits=UNLIMITED, seed=3) as fake:
        fake.faults.add(FailRecords(code="ProvisionedThroughputExceededException", probability=THROTTLED))
        with worker(command, fake.environment()) as working:
            began = time.monotonic()
            working.begin()
            working.end()
            seconds = time.monotonic() - began
        numbers = Counter(int(record.data) for record in fake.ledger.records())
        return Order(
            missing=records - len(numbers),
            duplicates=numbers.total() - len(numbers),
            inversions=sum(map(inversions, fake.ledger.by_partition_key().values())),
            requests=fake.ledger.calls["PutRecords"],
            seconds=seconds,
        )


def inversions(records: list[AcceptedRecord]) -> int:
    latest, found = -1, 0
    for number in (int(record.data) for record in records):
        found += number < latest
        latest = max(latest, number)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.goodput", description=__doc__)
    parser.add_argument(
        "--seconds", type=int, default=20, help="seconds of overload that count (default: 20)"
    )
    parser.add_argument(
        "--records", type=int, default=5_000, help="records whose order is looked at (default: 5,000)"
    )
    asked = parser.parse_args()
    seconds, count = asked.seconds, str(asked.records)
    rate, lasting = int(OVERLOAD * SHARDS * LIMIT), seconds + SETTLING_IN
    ours, resend = (
        [sys.executable, "-m", "bench.goodput.ours"],
        [sys.executable, "-m", "bench.peers.boto3_resend"],
    )
    uses = {
        f"Headgate, offered {OVERLOAD:g} x the limits": [*ours, "offer", str(rate), str(lasting)],
        "boto3, resend what failed, as fast as it goes": [*resend, str(rate * lasting * 9), "10000"],
    }
    used = {name: use_of_shards(command, seconds) for name, command in uses.items()}
    print_table(
        [
            "shards that throttle",
            "% of their limits accepted",
            "% of bytes sent again",
            "acknowledged, then lost",
        ],
        (
            [name, use.share * 100, use.sent_again * 100, use.lost if use.said else ""]
            for name, use in used.items()
        ),
    )
    first = next(iter(used.values()))
    print(
        f"\nrecords, by what Headgate told clients: {first.said}; must: {MUST:.0%} of the limits, none lost\n"
    )
    orders = {
        "Headgate, ordering strict": [*ours, "order", "strict", count, str(KEYS)],
        "Headgate, ordering lane": [*ours, "order", "lane", count, str(KEYS)],
        "boto3, resend what failed": [*resend, count, str(KEYS)],
    }
    ordered = {name: order(command, asked.records) for name, command in orders.items()}
    print_table(
        [
            f"{THROTTLED:.0%} of records throttled",
            "inversions",
            "missing",
            "duplicates",
            "requests",
            "seconds",
        ],
        (
            [name, of.inversions, of.missing, of.duplicates, of.requests, of.seconds]
            for name, of in ordered.items()
        ),
    )
    strict = next(iter(ordered.values()))
    sys.exit(first.share < MUST or first.lost or strict.inversions or strict.missing)


if __name__ == "__main__":
    main()
