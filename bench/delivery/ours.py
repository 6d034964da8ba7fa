"""Headgate's delivery alone: `python -m bench.delivery.ours RECORDS PER_REQUEST FORM`."""

import asyncio
import sys
from itertools import cycle, islice
from typing import cast

import botocore.session
import uvloop

from bench.delivery.records import records
from headgate import garbage
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.delivery.wire.forms import FormChoice

OUTSTANDING = 4_000
"""Records submitted and not settled: as many as the peers have with eight requests of 500."""
WARM_UP = 20_000


class Feeder:
    """Keeps requests outstanding, as many clients do who await their answers."""

    def __init__(self, delivery: Delivery, target: Target, per_request: int) -> None:
        self._delivery = delivery
        self._outstanding = max(OUTSTANDING // per_request, 1)
        prepared = [Data(key, data, number) for number, (key, data) in enumerate(records())]
        starts = range(0, len(prepared), per_request)
        self._requests = cycle([{target: prepared[at : at + per_request]} for at in starts])
        self._per_request = per_request

    async def feed(self, count: int) -> None:
        """Submit so many records, and return when all are settled."""
        requests = count // self._per_request
        upcoming, self._open = islice(self._requests, requests), requests
        self._done = asyncio.get_running_loop().create_future()

        def settled(outcome: Outcome) -> None:
            assert outcome.unavailable is None, outcome
            self._open -= 1
            if not self._open:
                self._done.set_result(None)
            elif (request := next(upcoming, None)) is not None:
                self._delivery.submit(request, settled)

        for request in islice(upcoming, self._outstanding):
            self._delivery.submit(request, settled)
        await self._done


async def deliver(count: int, per_request: int, form: FormChoice) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    delivery = Delivery(wire, CredentialsCache(session))
    feeder = Feeder(delivery, Target("bench", "us-west-2", "events", None, "bench", wire=form), per_request)
    await feeder.feed(WARM_UP)
    garbage.search_seldom()  # as the forwarder does
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        await feeder.feed(count)
        print("done", flush=True)
    await delivery.close()
    await wire.close()


if __name__ == "__main__":
    uvloop.run(deliver(int(sys.argv[1]), int(sys.argv[2]), cast("FormChoice", sys.argv[3])))
