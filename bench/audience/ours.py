"""The calls of a sync: `python -m bench.audience.ours CHANGES CALLS payload|json|read|deliver`."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import botocore.session
import uvloop

from headgate import garbage
from headgate.audiences.calls import Calls, Change, Computation
from headgate.audiences.changes import read
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.ingest.shares import sharing
from headgate.settings.schema import CALL_TYPES
from headgate.spec.partition_key import USER

PER_REQUEST = 100
OUTSTANDING = 10
"""Requests submitted and not settled: a sync lets 1,000 calls be under way."""
BATCH = 1_000
COMPUTATION = Computation("audience", "order_completed_last_30days", "8kf3Qw2LpZ")
CALLS = Calls(COMPUTATION, 1, datetime.now(UTC))
SHARE_OF = sharing((CALL_TYPES, USER))


def payload(changes: list[Change]) -> list[Data]:
    return SHARE_OF(CALLS.events(changes, datetime.now(UTC)))


def plainly(changes: list[Change]) -> list[Data]:
    """The same calls as they are usually made: a dictionary, a UUID and json.dumps."""
    now = datetime.now(UTC).isoformat()
    made = []
    for number, kind, user, value in changes:
        call: dict[str, Any] = {
            "type": "identify", kind: user, "traits": {COMPUTATION.key: json.loads(value)},
            "context": {"personas": {
                "computation_class": "audience", "computation_id": COMPUTATION.computation_id,
                "computation_key": COMPUTATION.key, "namespace": COMPUTATION.space_id,
                "space_id": COMPUTATION.space_id,
            }},
            "integrations": {"All": False, "Amazon Kinesis": True},
            "messageId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{COMPUTATION.key}/{kind}/{user}/{value}")),
            "originalTimestamp": now, "sentAt": now, "version": 2, "channel": "server", "receivedAt": now,
            "projectId": COMPUTATION.source_id, "timestamp": now,
        }  # fmt: skip
        made.append(Data(user, json.dumps(call).encode(), number))
    return made


async def deliver(delivery: Delivery, target: Target, calls: Iterator[list[Data]]) -> None:
    """Submit calls, a few requests at a time, and return when all are settled."""
    done, running = asyncio.get_running_loop().create_future(), 0

    def settled(outcome: Outcome) -> None:
        nonlocal running
        assert outcome.unavailable is None, outcome
        assert not outcome.undeliverable, outcome
        if (request := next(calls, None)) is not None:
            delivery.submit({target: request}, settled)
        elif (running := running - 1) == 0:
            done.set_result(None)

    for request in islice(calls, OUTSTANDING):
        running += 1
        delivery.submit({target: request}, settled)
    await done


def made(path: Path, count: int, start: int = 0) -> Iterator[list[Data]]:
    """Read changes and make their calls, in requests."""
    for changes in read(path, start, BATCH):
        calls = payload([change for change in changes if change[0] < start + count])
        for at in range(0, len(calls), PER_REQUEST):
            yield calls[at : at + PER_REQUEST]
        if len(calls) < BATCH:
            return


async def work(path: Path, count: int, what: str) -> None:
    session = botocore.session.get_session()
    wire = Wire(session)
    delivery = Delivery(wire, CredentialsCache(session))
    target = Target("bench", "us-west-2", "events", None, "bench")
    changes = list(islice((change for batch in read(path, 0) for change in batch), count))
    batches = [changes[at : at + BATCH] for at in range(0, count, BATCH)]
    make: dict[str, Callable[[list[Change]], list[Data]]] = {"payload": payload, "json": plainly}
    await deliver(delivery, target, made(path, BATCH))
    garbage.search_seldom()  # as the forwarder does
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        if what == "deliver":
            await deliver(delivery, target, made(path, count))
        elif what == "read":
            assert sum(map(len, made(path, count))) == count
        else:
            for batch in batches:
                make[what](batch)
        print("done", flush=True)
    await delivery.close()
    await wire.close()


if __name__ == "__main__":
    uvloop.run(work(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
