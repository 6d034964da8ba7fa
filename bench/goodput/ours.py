"""Headgate's delivery of numbered records.

`python -m bench.goodput.ours offer RATE SECONDS` offers so many records a second, taken or not;
`python -m bench.goodput.ours order lane|strict RECORDS KEYS` delivers them all, some hundreds at a time.
"""

import asyncio
import json
import sys
from collections import Counter

import botocore.session
import uvloop

from bench.goodput.records import numbered
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire

PER_REQUEST = 50
PREPARED = 2_000
"""Requests of an offer that differ; more are these again."""
OUTSTANDING = 10
"""Requests under way where all records are to be delivered."""
TICK = 0.02
"""Seconds between two rounds of an offer."""


def target(ordering: str) -> Target:
    return Target("bench", "us-west-2", "events", None, "bench", strict=ordering == "strict")


async def offer(delivery: Delivery, rate: int, seconds: int) -> str:
    """Submit requests at a steady rate; return how many records had which outcome, as JSON."""
    to, keys = target("lane"), 10_000
    source = numbered(keys, PREPARED * PER_REQUEST)
    requests = [[Data(*next(source), number) for number in range(PER_REQUEST)] for _ in range(PREPARED)]
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()

    def settled(outcome: Outcome) -> None:
        counts["late" if outcome.unavailable else "acknowledged"] += PER_REQUEST

    began, sent = loop.time(), 0
    while (elapsed := loop.time() - began) < seconds:
        while sent * PER_REQUEST < elapsed * rate:
            try:
                delivery.submit({to: requests[sent % len(requests)]}, settled)
            except Refused as refused:
                counts[refused.refusal.code] += PER_REQUEST
            sent += 1
        await asyncio.sleep(TICK)
    await delivery.settle_all()
    return json.dumps(counts)


async def deliver(delivery: Delivery, ordering: str, records: int, keys: int) -> str:
    """Deliver all in their order."""
    to, places = target(ordering), asyncio.Semaphore(OUTSTANDING)
    source = numbered(keys, records)

    def settled(outcome: Outcome) -> None:
        assert outcome.unavailable is None, outcome
        places.release()

    for _ in range(records // PER_REQUEST):
        await places.acquire()
        delivery.submit({to: [Data(*next(source), number) for number in range(PER_REQUEST)]}, settled)
    await delivery.settle_all()
    return "{}"


async def main(what: str, *arguments: str) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    # Where order is looked at, no client gives up and sends again: that would be its disorder, not ours.
    patience = DeliverySettings().acknowledge_within if what == "offer" else 600.0
    settings = DeliverySettings(acknowledge_within=patience)
    delivery = Delivery(wire, CredentialsCache(session), settings=settings)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        if what == "offer":
            said = await offer(delivery, *map(int, arguments))
        else:
            said = await deliver(delivery, arguments[0], *map(int, arguments[1:]))
        print("done", said, flush=True)
    await delivery.close()
    await wire.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
