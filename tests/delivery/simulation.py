"""A destination at work in virtual time, against the shards of the fake Kinesis, without sockets."""

import asyncio
import itertools
import json
import random
from collections.abc import Sequence
from threading import RLock
from typing import Any, cast

from botocore.credentials import ReadOnlyCredentials

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsFault, Grant
from headgate.delivery.destination import Destination
from headgate.delivery.hooks import Hooks
from headgate.delivery.lanes import Held
from headgate.delivery.preflight import shards_of_slots
from headgate.delivery.submission import Outcome, Record, Refusal, Submission
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.faults import Fault, Verdict, fault_of
from headgate.delivery.wire.messages import Answer
from headgate.metrics.store import Metrics
from headgate.testing import Delay, Faults, Ledger, Limits, ResetConnection
from headgate.testing.ledger import LoggedRequest
from headgate.testing.refusals import Refusal as KinesisRefusal
from headgate.testing.requests import Entry, PutRecords
from headgate.testing.service import Service
from headgate.testing.streams import Stream
from headgate.testing.writing import put_records

STREAM = "events"


class Simulation:
    """Kinesis, credentials and one destination; make it inside the running virtual-time loop."""

    def __init__(
        self,
        shards: int = 1,
        *,
        limits: Limits | None = None,
        latency: float = 0.02,
        strict: bool = False,
        lists_shards: bool = False,
        seed: int = 1,
        settings: DeliverySettings | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        clock, lock = self._loop.time, RLock()
        self._latency = latency
        self.random = random.Random(seed)
        self.faults = Faults(seed=seed, clock=clock, lock=lock)
        self.ledger = Ledger("full", lock)
        self.service = Service(
            account="111122223333",
            region="us-west-2",
            clock=clock,
            faults=self.faults,
            ledger=self.ledger,
            limits=limits or Limits(),
            max_request_bytes=10 * 1024 * 1024,
            dry_run=True,
            creation_seconds=0,
        )
        self.stream = Stream(STREAM, shards, now=clock(), limits=self.service.limits)
        self.service.streams[STREAM] = self.stream
        self.sent: list[list[Record]] = []
        self.denied: set[str] = set()
        """Operations for which the role has no permission."""
        self.credentials_fault: Fault | None = None
        self.forgotten = 0
        self.hooks: list[str] = []
        self.numbers = itertools.count()
        self.metrics = Metrics()
        self.destination = Destination(
            Target("src", "us-west-2", STREAM, None, "src", strict=strict),
            settings=settings or DeliverySettings(),
            held=Held(),
            credentials=cast("Any", self),
            wire=cast("Any", self),
            hooks=Hooks(
                denied=lambda _: self.hooks.append("denied"),
                resharded=lambda _: self.hooks.append("resharded"),
                stranded=lambda submission, refusal: submission.fail(refusal),
                undeliverable=lambda _, record, why: record.submission.undeliverable(record.index, why),
            ),
            metrics=self.metrics,
            spread=self.random.random,
        )
        if lists_shards:
            self.destination.lanes.mapped(self.shard_of_slot())

    # What a destination is given in place of the network.

    async def get(self, _grant: Grant) -> ReadOnlyCredentials:
        if self.credentials_fault is not None:
            raise CredentialsFault(self.credentials_fault)
        return ReadOnlyCredentials("AKIA", "secret", None, None)

    def age(self, _grant: Grant) -> float:
        return 0.0

    def forget(self, _grant: Grant, _refused: ReadOnlyCredentials) -> None:
        self.forgotten += 1

    async def put_records(self, _route: Any, _credentials: Any, records: Sequence[Record]) -> Answer | Fault:
        return await self._put("PutRecords", records)

    async def put_record(self, _route: Any, _credentials: Any, record: Record) -> Answer | Fault:
        answer = await self._put("PutRecord", [record])
        if isinstance(answer, Answer) and answer.failed:
            return fault_of(answer.failed[0], "")
        return answer

    async def _put(self, operation: str, records: Sequence[Record]) -> Answer | Fault:
        self.sent.append(list(records))
        assert len(records) <= 500
        assert sum(record.size for record in records) <= 10 * 1024 * 1024
        await asyncio.sleep(self._latency * (0.5 + self.random.random()))
        log = LoggedRequest(
            service="kinesis", operation=operation, form="json", request_id="", body_bytes=0, stream=STREAM
        )
        seconds, fault = self.faults.strike_request(log)
        await asyncio.sleep(seconds)
        if isinstance(fault, ResetConnection) and not fault.accepted:
            return Fault(Verdict.RETRY, "ConnectionResetError", "reset")
        if fault is not None and not isinstance(fault, Delay | ResetConnection):
            return fault_of(getattr(fault, "code", "ServiceUnavailable"), "as the test says")
        if operation in self.denied:
            return fault_of("AccessDeniedException", "not allowed")
        entries = [Entry(record.data, record.partition_key, None) for record in records]
        try:
            request = PutRecords(stream_name=STREAM, records=entries)
            answer = put_records(self.service, request, log)["Records"]
        except KinesisRefusal as refusal:
            return fault_of(refusal.code, refusal.message)
        finally:
            self.ledger.log(log)
        if fault is not None:
            return Fault(Verdict.RETRY, "ConnectionResetError", "reset")
        failed = {index: entry["ErrorCode"] for index, entry in enumerate(answer) if "ErrorCode" in entry}
        return Answer(failed, [entry.get("ShardId") for entry in answer])

    # What a test does.

    def submit(self, *keys: str, size: int = 0) -> "asyncio.Future[Outcome]":
        """Submit a request with a record for each partition key."""
        told: asyncio.Future[Outcome] = self._loop.create_future()
        submission = Submission(told.set_result, self._loop.time())
        data = [
            Data(key, json.dumps({"messageId": str(next(self.numbers))}).encode().ljust(size), index)
            for index, key in enumerate(keys)
        ]
        admitted = self.destination.admit(submission, data)
        if isinstance(admitted, Refusal):
            told.set_result(Outcome(unavailable=admitted))
            return told
        submission.portions = [(self.destination.target, admitted.records)]
        submission.open_records = len(data)
        if admitted.records:
            self.destination.queue(admitted.records)
        for each, why in admitted.too_large:
            submission.undeliverable(each.number, why)
        return told

    def shard_of_slot(self) -> dict[int, str]:
        """Return what ListShards would tell."""
        return shards_of_slots(
            {
                "ShardId": shard.shard_id,
                "HashKeyRange": {"StartingHashKey": str(shard.start), "EndingHashKey": str(shard.end)},
            }
            for shard in self.stream.open_shards
        )

    def numbers_of(self, key: str) -> list[int]:
        """Return the place in the order of submission of each accepted record of a key, in accepted order."""
        return [int(record.message_id or -1) for record in self.ledger.by_partition_key().get(key, [])]

    def figure(self, counter: str) -> int:
        """Return what a counter of the destination says."""
        return self.metrics.snapshot().destinations[self.destination.name].counters[counter]

    def at_rest(self) -> bool:
        """Whether nothing is held, and the accounts agree."""
        lanes = list(self.destination.lanes)
        assert sum(lane.held_bytes for lane in lanes) == self.destination.held.size
        assert any(lane.held_records for lane in lanes) == (self.destination.held.size > 0)
        return self.destination.held.size == 0 and not any(lane.in_flight for lane in lanes)


async def settled(*told: "asyncio.Future[Outcome]", within: float = 300) -> list[Outcome]:
    return await asyncio.wait_for(asyncio.gather(*told), within)
