"""Headgate's delivery of more than shards take: `python -m bench.goodput.ours RATE SECONDS`.

It offers so many records a second, taken or not, and prints how many records had which outcome, as JSON.
"""

import asyncio
import json
import sys
from collections import Counter

import botocore.session
import uvloop

from bench.losses.records import numbered
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire

PER_REQUEST = 50
PREPARED = 2_000
"""Requests that differ; more are these again."""
KEYS = 10_000
TICK = 0.02
"""Seconds between two rounds of the offer."""


async def offer(delivery: Delivery, rate: int, seconds: int) -> Counter[str]:
    """Submit requests at a steady rate; return how many records had which outcome."""
    to = Target("bench", "us-west-2", "events", None, "bench")
    source = numbered(KEYS, PREPARED * PER_REQUEST)
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
    return counts


async def main(rate: int, seconds: int) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    delivery = Delivery(wire, CredentialsCache(session))
    print(json.dumps(await offer(delivery, rate, seconds)))
    await delivery.close()
    await wire.close()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
