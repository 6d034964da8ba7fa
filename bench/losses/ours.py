"""Headgate's delivery of numbered records: `python -m bench.losses.ours lane|strict RECORDS KEYS OVERSIZE`.

OVERSIZE is the number of the record that is too large, -1 for none.
"""

import asyncio
import sys

import botocore.session
import uvloop

from bench.losses.records import numbered
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire

PER_REQUEST = 50
OUTSTANDING = 10
"""Requests under way."""
PATIENCE = 600.0
"""Seconds: no client gives up and sends again, for that would be its disorder, not ours."""


async def main(ordering: str, records: int, keys: int, oversize: int) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    settings = DeliverySettings(acknowledge_within=PATIENCE)
    delivery = Delivery(wire, CredentialsCache(session), settings=settings)
    to = Target("bench", "us-west-2", "events", None, "bench", strict=ordering == "strict")
    places, source = asyncio.Semaphore(OUTSTANDING), numbered(keys, records, oversize)

    def settled(outcome: Outcome) -> None:
        assert outcome.unavailable is None, outcome
        places.release()

    for _ in range(records // PER_REQUEST):
        await places.acquire()
        delivery.submit({to: [Data(*next(source), number) for number in range(PER_REQUEST)]}, settled)
    await delivery.settle_all()
    await delivery.close()
    await wire.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:])))
