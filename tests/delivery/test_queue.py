"""A destination's queue against a Kinesis that answers as a script says."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.delivery import queue as queues
from headgate.delivery.answers import Entry, Fault, Verdict
from headgate.delivery.credentials import Grant
from headgate.delivery.queue import DestinationQueue
from headgate.delivery.submission import Outcome, Record, Submission
from headgate.metrics.store import Metrics

OK, THROTTLED = Entry(), Entry("ProvisionedThroughputExceededException")
NUMBERS = itertools.count()
"""Each record's data is its place in the order of queueing."""
Answer = Callable[[list[Record]], list[Entry] | Fault]


def all_ok(records: list[Record]) -> list[Entry]:
    return [OK] * len(records)


def fault(code: str, verdict: Verdict) -> Answer:
    return lambda _: Fault(verdict, code, "as the script says")


class Kinesis:
    """Answers each request with the next of the script, then always with success; keeps a ledger."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.requests: list[list[Record]] = []
        self.ledger: list[Record] = []
        self.forgotten = 0
        self.metrics = Metrics()
        self.asked = asyncio.Event()

    async def send(
        self, _endpoint: Any, _credentials: Any, _stream: str, records: list[Record]
    ) -> list[Entry] | Fault:
        await asyncio.sleep(0)
        self.requests.append(list(records))
        self.asked.set()
        answer = (self.script.pop(0) if self.script else all_ok)(records)
        if not isinstance(answer, Fault):
            self.ledger += [
                record for record, entry in zip(records, answer, strict=True) if entry.error_code is None
            ]
        return answer

    async def get(self, _grant: Grant) -> ReadOnlyCredentials:
        return ReadOnlyCredentials("a", "s", None, None)

    def forget(self, _grant: Grant) -> None:
        self.forgotten += 1

    def of(self, _region: str) -> None:
        return None


@asynccontextmanager
async def delivering(kinesis: Kinesis, *, strict: bool = False) -> AsyncIterator[DestinationQueue]:
    queue = DestinationQueue(
        name="src/events",
        stream_name="events",
        strict=strict,
        grant=Grant(None, "src", "us-west-2"),
        credentials=cast("Any", kinesis),
        endpoints=cast("Any", kinesis),
        put_records=cast("Any", kinesis),
        metrics=kinesis.metrics,
        spread=lambda: 0.0,
    )
    try:
        yield queue
    finally:
        await queue.close()


def submit(queue: DestinationQueue, *keys: str) -> "asyncio.Future[Outcome]":
    told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    submission = Submission(told.set_result, open_records=len(keys))
    records = [Record(key, b"%d" % next(NUMBERS), submission, index) for index, key in enumerate(keys)]
    queue.put(records)
    return told


async def settled(*told: "asyncio.Future[Outcome]") -> list[Outcome]:
    return await asyncio.wait_for(asyncio.gather(*told), 20)


async def test_only_the_records_that_failed_are_sent_again_and_before_all_later_ones() -> None:
    kinesis = Kinesis(lambda records: [OK, THROTTLED, OK][: len(records)])
    async with delivering(kinesis) as queue:
        told = submit(queue, "a", "b", "c")
        [outcome] = await settled(told)
    assert (outcome.unavailable, outcome.undeliverable) == (None, {})
    assert [[one.partition_key for one in request] for request in kinesis.requests] == [
        ["a", "b", "c"],
        ["b"],
    ]


async def test_a_request_is_not_acknowledged_before_its_last_record_is_in() -> None:
    kinesis = Kinesis(lambda records: [THROTTLED] * len(records))
    async with delivering(kinesis) as queue:
        told = submit(queue, "a")
        await asyncio.wait_for(kinesis.asked.wait(), 20)
        assert not told.done()
        await settled(told)
    assert len(kinesis.ledger) == 1


async def test_credentials_that_are_no_longer_good_are_dropped_and_the_request_sent_again() -> None:
    kinesis = Kinesis(fault("ExpiredTokenException", Verdict.REFRESH))
    async with delivering(kinesis) as queue:
        [outcome] = await settled(submit(queue, "a"))
    assert outcome.unavailable is None
    assert (kinesis.forgotten, len(kinesis.requests)) == (1, 2)


async def test_a_fault_that_somebody_must_mend_fails_what_waits_and_refuses_what_comes() -> None:
    kinesis = Kinesis(fault("ResourceNotFoundException", Verdict.PAUSE))
    async with delivering(kinesis) as queue:
        outcomes = await settled(submit(queue, "a"), submit(queue, "b"))
        assert [outcome.unavailable.code for outcome in outcomes if outcome.unavailable] == [
            "ResourceNotFoundException",
            "ResourceNotFoundException",
        ]
        refusal = queue.refusal(1)
        assert refusal is not None
        assert refusal.retry_after is not None
        assert 1 <= refusal.retry_after <= 300
    assert kinesis.ledger == []


async def test_a_record_that_is_invalid_is_found_by_halving_and_takes_no_other_with_it() -> None:
    def refuses_bad(records: list[Record]) -> list[Entry] | Fault:
        if any(record.partition_key == "bad" for record in records):
            return Fault(Verdict.SPLIT, "ValidationException", "a bad record")
        return [OK] * len(records)

    kinesis = Kinesis(*[refuses_bad] * 40)
    async with delivering(kinesis) as queue:
        [outcome] = await settled(submit(queue, "a", "b", "bad", "c", "d", "e", "f"))
    assert list(outcome.undeliverable) == [2]
    assert [record.partition_key for record in kinesis.ledger] == ["a", "b", "c", "d", "e", "f"]


async def test_what_is_withdrawn_is_not_sent_any_more() -> None:
    kinesis = Kinesis()
    async with delivering(kinesis) as queue:
        kept: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        gone = Submission(lambda _: None, open_records=1)
        stays = Submission(kept.set_result, open_records=1)
        queue.put([Record("gone", b"", gone, 0), Record("stays", b"", stays, 0)])
        queue.withdraw(gone)
        await settled(kept)
    assert [record.partition_key for record in kinesis.ledger] == ["stays"]


async def test_a_destination_that_holds_all_it_may_asks_for_patience() -> None:
    async with delivering(Kinesis()) as queue:
        refusal = queue.refusal(queues.MAX_HELD_BYTES + 1)
    assert refusal is not None
    assert refusal.code == "destination_full"


ANSWERS = st.lists(st.sampled_from(["ok", "some", "none", "fault", "expired"]), max_size=6)


@settings(max_examples=30, deadline=None)
@given(
    ANSWERS,
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), min_size=1, max_size=5),
    st.booleans(),
)
def test_whatever_kinesis_answers_every_record_arrives_once_and_strict_keeps_each_keys_order(
    script: list[str], requests: list[list[str]], strict: bool
) -> None:
    def answer(kind: str) -> Answer:
        return {
            "ok": all_ok,
            "some": lambda records: [OK if index % 2 else THROTTLED for index in range(len(records))],
            "none": lambda records: [THROTTLED] * len(records),
            "fault": fault("InternalFailure", Verdict.RETRY),
            "expired": fault("ExpiredTokenException", Verdict.REFRESH),
        }[kind]  # type: ignore[return-value]

    async def run() -> list[Record]:
        kinesis = Kinesis(*map(answer, script))
        async with delivering(kinesis, strict=strict) as queue:
            await settled(*[submit(queue, *keys) for keys in requests])
        assert len({id(record) for record in kinesis.ledger}) == len(kinesis.ledger)
        return kinesis.ledger

    first, longest = queues.FIRST_BACKOFF_SECONDS, queues.LONGEST_BACKOFF_SECONDS
    queues.FIRST_BACKOFF_SECONDS = queues.LONGEST_BACKOFF_SECONDS = 0.001
    try:
        ledger = asyncio.run(run())
    finally:
        queues.FIRST_BACKOFF_SECONDS, queues.LONGEST_BACKOFF_SECONDS = first, longest
    assert sorted(record.partition_key for record in ledger) == sorted(
        key for keys in requests for key in keys
    )
    if strict:
        for key in "abc":
            of_key = [int(record.data) for record in ledger if record.partition_key == key]
            assert of_key == sorted(of_key)
