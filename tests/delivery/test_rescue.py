"""What Kinesis does not take: another safe place is found before its 200, or the client hears of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.refuge import Told
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from tests import virtual_time
from tests.delivery.test_delivery import BOTH, ONE, TWO, Aws, submit

LARGE = [Data("key", b"x" * 1024 * 1024, 0)]


class Store:
    """Overflow and dead letters that say yes or no after a while."""

    def __init__(self) -> None:
        self.yes = True
        self.seconds = 0.05
        self.full = False
        self.spilled: list[tuple[str, str, bytes]] = []
        self.buried: list[tuple[str, bytes, str]] = []

    def refuses(self, size: int) -> bool:
        return self.full or size > 10_000_000

    def spill(self, target: Target, records: Sequence[tuple[str, bytes]], told: Told) -> None:
        asyncio.get_running_loop().call_later(self.seconds, self._spilled, target, records, told)

    def _spilled(self, target: Target, records: Sequence[tuple[str, bytes]], told: Told) -> None:
        if self.yes:
            self.spilled += [(target.stream_name, key, data) for key, data in records]
        told(self.yes)

    def bury(self, target: Target, record: tuple[str, bytes], why: Refusal, told: Told) -> None:
        self.buried.append((target.stream_name, record[1], why.code))
        asyncio.get_running_loop().call_later(self.seconds, told, self.yes)


@asynccontextmanager
async def delivering(aws: Aws, store: Store, **bounds: Any) -> AsyncIterator[Delivery]:
    delivery = Delivery(
        cast("Any", aws),
        cast("Any", aws),
        settings=DeliverySettings(**bounds),
        overflow=store,
        dead_letters=store,
    )
    try:
        yield delivery
    finally:
        await delivery.close()


def test_at_its_deadline_a_request_is_spilled_and_only_then_acknowledged() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.silent = {"two"}
        async with delivering(aws, store) as delivery:
            told = submit(delivery, BOTH)
            await asyncio.sleep(8.0)
            assert not told.done()
            assert store.spilled == []
            assert await told == Outcome()
            assert store.spilled == [("two", "key", b"{}")]
            assert aws.got == ["one"]
            await asyncio.wait_for(delivery.settle_all(), 1)

    virtual_time.run(work())


def test_where_overflow_says_no_nothing_is_acknowledged() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.silent, store.yes = {"two"}, False
        async with delivering(aws, store) as delivery:
            outcome = await submit(delivery, BOTH)
            assert outcome.unavailable is not None
            assert outcome.unavailable.code == "deadline"

    virtual_time.run(work())


def test_what_arrives_while_it_is_spilled_is_told_once() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        store.seconds = 1.0
        aws.seconds = {"two": 8.5}
        async with delivering(aws, store) as delivery:
            assert await submit(delivery, BOTH) == Outcome()
            await asyncio.sleep(5)
            assert sorted(aws.got) == ["one", "two"]
            assert store.spilled == [("two", "key", b"{}")]
            assert not delivery.status()["src/two"].lanes[0].held_records

    virtual_time.run(work())


def test_what_is_strict_is_never_spilled() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.silent = {"one"}
        strict = Target("src", "us-west-2", "one", None, "src", strict=True)
        async with delivering(aws, store) as delivery:
            outcome = await submit(delivery, {strict: BOTH[ONE], TWO: BOTH[TWO]})
            assert outcome.unavailable is not None
            assert store.spilled == []

    virtual_time.run(work())


def test_while_a_destination_is_paused_its_part_goes_to_overflow_and_the_rest_to_kinesis() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.wrong = {"two": "ResourceNotFoundException"}
        async with delivering(aws, store) as delivery:
            assert await submit(delivery, BOTH) == Outcome()
            assert await submit(delivery, BOTH) == Outcome()
            assert aws.got == ["one", "one"]
            assert store.spilled == [("two", "key", b"{}")] * 2
            assert not delivery.accepts(TWO)
            assert delivery.accepts(ONE)

    virtual_time.run(work())


def test_a_request_of_which_a_part_was_spilled_waits_for_that_part_too() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.wrong = {"two": "ResourceNotFoundException"}
        async with delivering(aws, store) as delivery:
            await submit(delivery, {TWO: BOTH[TWO]})
            store.seconds, aws.silent = 12.0, {"one"}
            told = submit(delivery, BOTH)
            await asyncio.sleep(10.0)
            assert not told.done(), "one part is spilled at once, the other at the deadline"
            store.seconds = 0.1
            await asyncio.sleep(1.0)
            assert not told.done()
            assert await told == Outcome()
            assert sorted(stream for stream, _, _ in store.spilled) == ["one", "two", "two"]

    virtual_time.run(work())


def test_what_is_being_spilled_at_the_deadline_is_waited_for() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.wrong = {"two": "ResourceNotFoundException"}
        async with delivering(aws, store, acknowledge_within=1.0) as delivery:
            await submit(delivery, {TWO: BOTH[TWO]})
            store.seconds = 1.5
            assert await submit(delivery, {TWO: BOTH[TWO]}) == Outcome()
            assert len(store.spilled) == 2

    virtual_time.run(work())


def test_where_overflow_is_full_too_the_request_is_refused_and_nothing_queued() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.wrong = {"two": "ResourceNotFoundException"}
        async with delivering(aws, store) as delivery:
            await submit(delivery, {TWO: BOTH[TWO]})
            store.full = True
            with pytest.raises(Refused) as refused:
                submit(delivery, BOTH)
            assert refused.value.refusal.code == "ResourceNotFoundException"
            await asyncio.sleep(1)
            assert aws.got == []

    virtual_time.run(work())


def test_when_the_process_holds_all_it_may_requests_go_to_overflow() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.silent = {"one"}
        async with delivering(aws, store, process_size=1_000) as delivery:
            held = submit(delivery, {ONE: [Data("key", b"x" * 600, 0)]})
            assert await submit(delivery, {TWO: [Data("key", b"x" * 600, 0)]}) == Outcome()
            assert [stream for stream, _, _ in store.spilled] == ["two"]
            assert not held.done()

    virtual_time.run(work())


def test_a_record_that_can_never_be_delivered_is_buried_and_then_acknowledged() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        async with delivering(aws, store) as delivery:
            told = submit(delivery, {ONE: LARGE, TWO: BOTH[TWO]})
            assert not told.done()
            assert await told == Outcome()
            assert [(stream, code) for stream, _, code in store.buried] == [("one", "too_large")]
            assert aws.got == ["two"]

    virtual_time.run(work())


def test_where_the_dead_letters_say_no_the_client_sends_again() -> None:
    async def work() -> None:
        store = Store()
        store.yes = False
        async with delivering(Aws(), store) as delivery:
            outcome = await submit(delivery, {ONE: LARGE})
            assert outcome.unavailable is not None
            assert outcome.unavailable.code == "not_buried"
            assert not outcome.undeliverable

    virtual_time.run(work())


def test_what_comes_out_of_overflow_never_goes_there_again_and_has_no_deadline() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.seconds = {"one": 60.0}
        async with delivering(aws, store) as delivery:
            told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            delivery.drain(ONE, BOTH[ONE], told.set_result)
            assert await told == Outcome()
            aws.seconds, aws.wrong = {}, {"one": "ResourceNotFoundException"}
            told = asyncio.get_running_loop().create_future()
            delivery.drain(ONE, BOTH[ONE], told.set_result)
            outcome = await told
            assert outcome.unavailable is not None
            with pytest.raises(Refused):
                delivery.drain(ONE, BOTH[ONE], told.set_result)
            assert store.spilled == []

    virtual_time.run(work())


def test_in_a_hurry_what_is_open_is_spilled_at_once() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.silent = {"one", "two"}
        async with delivering(aws, store) as delivery:
            told = submit(delivery, BOTH)
            await asyncio.sleep(0.1)
            delivery.hurry()
            assert await asyncio.wait_for(told, 0.5) == Outcome()
            assert len(store.spilled) == 2
            await asyncio.wait_for(delivery.settle_all(), 0.5)

    virtual_time.run(work())


def test_after_an_outage_what_waits_in_overflow_is_put_though_no_client_comes_any_more() -> None:
    async def work() -> None:
        aws, store = Aws(), Store()
        aws.wrong = {"one": "InternalFailure"}
        async with delivering(aws, store) as delivery:
            assert await submit(delivery, {ONE: BOTH[ONE]}) == Outcome()
            assert len(store.spilled) == 1
            assert not delivery.accepts(ONE)
            await asyncio.sleep(5)
            assert delivery.accepts(ONE)
            told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            delivery.drain(ONE, BOTH[ONE], told.set_result)
            assert not delivery.accepts(ONE), "one message finds out for all"
            await asyncio.sleep(20)
            assert not told.done()
            aws.wrong = {}
            assert await asyncio.wait_for(told, 5) == Outcome()
            assert delivery.accepts(ONE)

    virtual_time.run(work())
