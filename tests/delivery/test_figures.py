"""What a destination counts and shows, with a Kinesis that answers as a script says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from botocore.credentials import ReadOnlyCredentials

from headgate.delivery.admission import Admitted
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.destination import Destination
from headgate.delivery.figures import Counts
from headgate.delivery.hooks import Hooks
from headgate.delivery.lanes import Held
from headgate.delivery.packer import Parcel
from headgate.delivery.submission import Outcome, Record, Submission
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.messages import Answer
from headgate.metrics.store import Metrics

TARGET = Target("s", "us-west-2", "events", None, "s")
THROTTLE = "ProvisionedThroughputExceededException"


class Kinesis:
    """Answers with the next of the script once it may; then takes all."""

    def __init__(self, *script: Answer | Fault) -> None:
        self.script = list(script)
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()

    async def put_records(self, _route: Any, _credentials: Any, records: Sequence[Record]) -> Answer | Fault:
        self.asked.set()
        await self.may_answer.wait()
        return self.script.pop(0) if self.script else Answer({}, ["shard-1"] * len(records))

    def spoken(self, _route: Any) -> tuple[str, str]:
        return "https://kinesis", "cbor"

    async def get(self, _grant: Any) -> ReadOnlyCredentials:
        return ReadOnlyCredentials("a", "s", None, None)

    def age(self, _grant: Any) -> float:
        return 17.0


@asynccontextmanager
async def delivering(kinesis: Kinesis) -> AsyncIterator[tuple[Destination, Callable[[str], Any]]]:
    metrics = Metrics()
    destination = Destination(
        TARGET,
        settings=DeliverySettings(linger=0.001),
        held=Held(),
        credentials=cast("Any", kinesis),
        wire=cast("Any", kinesis),
        hooks=Hooks(
            denied=lambda _: None,
            resharded=lambda _: None,
            stranded=lambda submission, refusal: submission.fail(refusal),
            undeliverable=lambda _, record, why: record.submission.undeliverable(record.index, why),
        ),
        metrics=metrics,
        spread=lambda: 0.0,
    )

    def figure(name: str) -> Any:
        figures = metrics.snapshot().destinations["s/events"]
        return {**figures.counters, **figures.gauges, **figures.distributions}[name]

    try:
        yield destination, figure
    finally:
        await destination.close()


def submit(destination: Destination, *keys: str) -> "asyncio.Future[Outcome]":
    told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    submission = Submission(told.set_result, asyncio.get_running_loop().time() - 3)
    admitted = destination.admit(submission, [Data(key, b"12345", index) for index, key in enumerate(keys)])
    assert isinstance(admitted, Admitted)
    submission.portions = [(destination.target, admitted.records)]
    submission.open_records = len(admitted.records)
    destination.queue(admitted.records)
    return told


async def test_what_is_held_and_how_old_it_is_shows_while_it_is_in_flight() -> None:
    kinesis = Kinesis()
    async with delivering(kinesis) as (destination, figure):
        told = submit(destination, "a", "b")
        await asyncio.wait_for(kinesis.asked.wait(), 10)
        assert (figure("HeldRecords"), figure("HeldBytes"), figure("CredentialsAge")) == (2, 12, 17)
        assert figure("OldestRecordAge") == pytest.approx(3, abs=1)
        kinesis.may_answer.set()
        await asyncio.wait_for(told, 10)
        assert (figure("HeldRecords"), figure("HeldBytes"), figure("OldestRecordAge")) == (0, 0, 0)
        assert (figure("DeliveredRecords"), figure("RetriedRecords"), figure("Paused")) == (2, 0, 0)
        assert sum(figure("PutLatency").values()) == 1


async def test_records_that_fail_alone_are_counted_as_throttled_and_retried() -> None:
    kinesis = Kinesis(Answer({1: THROTTLE, 2: "InternalFailure"}, ["shard-1", None, None]))
    kinesis.may_answer.set()
    async with delivering(kinesis) as (destination, figure):
        # One key, so one lane: one request.
        await asyncio.wait_for(submit(destination, "a", "a", "a"), 10)
        assert (figure("DeliveredRecords"), figure("ThrottledRecords"), figure("RetriedRecords")) == (3, 1, 2)
        assert figure("PossibleDuplicates") == 0
        assert sum(lane.throttled for lane in destination.status().lanes) == 1


async def test_a_pause_shows_with_its_reason() -> None:
    kinesis = Kinesis(Fault(Verdict.PAUSE, "ResourceNotFoundException", "no such stream"))
    kinesis.may_answer.set()
    async with delivering(kinesis) as (destination, figure):
        await asyncio.wait_for(submit(destination, "a"), 10)
        assert figure("Paused") == 1
        status = destination.status()
        assert status.paused is not None
        assert (status.paused.code, status.paused.reason) == ("ResourceNotFoundException", "no such stream")
        assert (status.endpoint, status.wire, status.mode) == ("https://kinesis", "cbor", "batches")


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (Fault(Verdict.RETRY, "InternalFailure", ""), {"RetriedRecords": 2, "PossibleDuplicates": 2}),
        (Fault(Verdict.RETRY, "ConnectError", "", sent=False), {"RetriedRecords": 2}),
        (Fault(Verdict.THROTTLED, THROTTLE, ""), {"RetriedRecords": 2, "ThrottledRecords": 2}),
        (Fault(Verdict.REFRESH, "ExpiredTokenException", ""), {"RetriedRecords": 2}),
    ],
)
def test_a_request_that_fails_as_a_whole_is_counted_by_what_is_known_of_it(
    fault: Fault, counted: dict[str, int]
) -> None:
    metrics = Metrics()
    Counts(metrics, "s/events").again(Parcel(records=[cast("Any", None)] * 2), fault)
    counters = metrics.snapshot().destinations["s/events"].counters
    assert {name: count for name, count in counters.items() if count} == counted
