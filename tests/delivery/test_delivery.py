"""Delivery as the rest sees it: all of a request is taken or none, and it is told once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from botocore.credentials import ReadOnlyCredentials

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.destination import Destination
from headgate.delivery.preflight import Found
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.faults import Fault, fault_of
from headgate.delivery.wire.messages import Answer
from tests import virtual_time

ONE, TWO = (Target("src", "us-west-2", name, None, "src") for name in ("one", "two"))
BOTH = {ONE: [Data("key", b"{}", 0)], TWO: [Data("key", b"{}", 0)]}


class Aws:
    """A wire, credentials and a preflight that say what the test wants."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}
        """Error code by stream."""
        self.silent: set[str] = set()
        """Streams whose answers never come."""
        self.seconds: dict[str, float] = {}
        """How long an answer takes, by stream."""
        self.got: list[str] = []
        self.found: Found | None = Found(dict.fromkeys(range(256), "shard-1"), 2048)
        self.looks = 0

    async def get(self, _grant: Any) -> ReadOnlyCredentials:
        return ReadOnlyCredentials("AKIA", "secret", None, None)

    def age(self, _grant: Any) -> float:
        return 0.0

    def spoken(self, _route: Any) -> tuple[str | None, str]:
        return None, "cbor"

    async def put_records(self, route: Any, _credentials: Any, records: Any) -> Answer | Fault:
        silent = route.stream_name in self.silent
        await asyncio.sleep(3_600 if silent else self.seconds.get(route.stream_name, 0.01))
        if route.stream_name in self.wrong:
            return fault_of(self.wrong[route.stream_name], "")
        self.got += [route.stream_name] * len(records)
        return Answer({}, ["shard-1"] * len(records))

    async def stream(self, _target: Any, _credentials: Any) -> Found | None:
        self.looks += 1
        return self.found

    async def permissions(self, _target: Any, _credentials: Any) -> dict[str, str]:
        return {}


@asynccontextmanager
async def delivering(aws: Aws, **bounds: Any) -> AsyncIterator[Delivery]:
    delivery = Delivery(
        cast("Any", aws), cast("Any", aws), cast("Any", aws), settings=DeliverySettings(**bounds)
    )
    try:
        yield delivery
    finally:
        await delivery.close()


def submit(delivery: Delivery, portions: dict[Target, list[Data]]) -> "asyncio.Future[Outcome]":
    told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    delivery.submit(portions, told.set_result)
    return told


def test_a_request_is_told_once_every_destination_has_it() -> None:
    async def work() -> None:
        aws = Aws()
        async with delivering(aws) as delivery:
            outcome = await submit(delivery, BOTH)
            assert outcome == Outcome()
            assert sorted(aws.got) == ["one", "two"]

    virtual_time.run(work())


def test_while_one_destination_is_paused_nothing_of_a_request_is_queued_anywhere() -> None:
    async def work() -> None:
        aws = Aws()
        aws.wrong = {"two": "ResourceNotFoundException"}
        async with delivering(aws) as delivery:
            first = await submit(delivery, BOTH)
            assert first.unavailable is not None
            await asyncio.sleep(0.1)
            aws.got.clear()
            with pytest.raises(Refused) as refused:
                submit(delivery, BOTH)
            assert refused.value.refusal.code == "ResourceNotFoundException"
            assert (await submit(delivery, {ONE: BOTH[ONE]})).unavailable is None
            await asyncio.sleep(1)
            assert aws.got == ["one"]

    virtual_time.run(work())


def test_a_request_that_is_late_is_answered_at_its_deadline() -> None:
    async def work() -> None:
        aws = Aws()
        aws.silent = {"two"}
        async with delivering(aws, acknowledge_within=8.0) as delivery:
            begun = asyncio.get_running_loop().time()
            outcome = await submit(delivery, BOTH)
            assert 8.0 <= asyncio.get_running_loop().time() - begun < 8.3
            assert outcome.unavailable is not None
            assert (outcome.unavailable.code, outcome.unavailable.retry_after) == ("deadline", 5)
            await asyncio.wait_for(delivery.settle_all(), 1)

    virtual_time.run(work())


def test_the_process_holds_no_more_than_it_may() -> None:
    async def work() -> None:
        aws = Aws()
        async with delivering(aws, process_size=1_000) as delivery:
            held = submit(delivery, {ONE: [Data("key", b"x" * 600, 0)]})
            with pytest.raises(Refused) as refused:
                submit(delivery, {TWO: [Data("key", b"x" * 600, 0)]})
            assert refused.value.refusal.code == "memory_full"
            await held
            assert (await submit(delivery, {TWO: [Data("key", b"x" * 600, 0)]})).unavailable is None

    virtual_time.run(work())


def test_a_request_of_which_no_record_fits_is_told_at_once() -> None:
    async def work() -> None:
        async with delivering(Aws()) as delivery:
            outcome = await submit(delivery, {ONE: [Data("key", b"x" * 1024 * 1024, 7)]})
            assert outcome.undeliverable[7].code == "too_large"
            await asyncio.wait_for(delivery.settle_all(), 1)

    virtual_time.run(work())


def test_a_destination_knows_its_shards_and_its_largest_record_before_its_first_request() -> None:
    async def work() -> None:
        aws = Aws()
        async with delivering(aws) as delivery:
            await delivery.prepare([ONE])
            lanes = delivery.status()["src/one"].lanes
            assert [lane.shard_id for lane in lanes] == ["shard-1"]
            assert not (await submit(delivery, {ONE: [Data("key", b"x" * 1024 * 1024, 0)]})).undeliverable
            await asyncio.sleep(30)
            assert aws.looks == 1

    virtual_time.run(work())


def test_a_role_that_may_not_list_shards_is_asked_once() -> None:
    async def work() -> None:
        aws = Aws()
        aws.found = None
        async with delivering(aws) as delivery:
            await delivery.prepare([ONE])
            for _ in range(3):
                await submit(delivery, {ONE: [Data("key", b"{}", 0)]})
                await asyncio.sleep(20)
            assert aws.looks == 1

    virtual_time.run(work())


def test_destinations_that_are_not_used_any_more_are_let_go_once_they_hold_nothing() -> None:
    async def work() -> None:
        aws = Aws()
        async with delivering(aws) as delivery:
            await submit(delivery, BOTH)
            held = submit(delivery, {TWO: [Data("key", b"{}", 0)]})
            delivery.retain({ONE})
            await held
            assert set(delivery.status()) == {"src/one", "src/two"}
            await asyncio.sleep(2)
            assert set(delivery.status()) == {"src/one"}
            assert (await submit(delivery, BOTH)).unavailable is None

    virtual_time.run(work())


def test_a_destination_that_is_used_while_another_is_let_go_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    close = Destination.close
    told: list[asyncio.Future[Outcome]] = []

    async def work() -> None:
        aws = Aws()
        async with delivering(aws) as delivery:

            async def use_the_other_and_close(self: Destination) -> None:
                if not told:
                    other = TWO if self.target == ONE else ONE
                    told.append(submit(delivery, {other: BOTH[other]}))
                await close(self)

            await submit(delivery, BOTH)
            aws.silent = {"one", "two"}
            monkeypatch.setattr(Destination, "close", use_the_other_and_close)
            delivery.retain(set())
            await asyncio.sleep(1)
            assert len(delivery.status()) == 1
            assert not told[0].done()

    virtual_time.run(work())
