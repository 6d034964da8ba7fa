"""Spilling: told True means that SQS has every record, in whatever trouble; and memory stays bounded."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from headgate.delivery.target import Target
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.origin import Origin, origin_of
from headgate.overflow.overflow import Overflow
from headgate.overflow.packs import unpack
from headgate.overflow.queue import Queue
from tests.overflow.sqs import Cut, FailEntries, Refuse, Slow, Sqs, Trouble

ONE = Target("src", "us-west-2", "one", "arn:aws:iam::111122223333:role/w", "a-secret-id")
TWO = Target("src", "us-west-2", "two", None, "src")
SEND = "SendMessageBatch"

Record = tuple[str, bytes]


def spilling(sqs: Sqs, name: str, **attributes: str) -> tuple[Overflow, str, Metrics]:
    metrics = Metrics()
    url = sqs.create_queue(name, **attributes)
    return Overflow(Queue(sqs.session, url, metrics), metrics=metrics), url, metrics


def spill(overflow: Overflow, target: Target, records: Sequence[Record]) -> "asyncio.Future[bool]":
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    overflow.spill(target, records, told.set_result)
    return told


def found(sqs: Sqs, url: str) -> dict[Origin, list[Record]]:
    """Take all records out of a queue."""
    by_origin: dict[Origin, list[Record]] = {}
    for body in sqs.bodies(url):
        origin, records = unpack(body)
        by_origin.setdefault(origin, []).extend(records)
    return by_origin


async def test_requests_of_one_moment_share_a_message_per_destination(sqs: Sqs, name: str) -> None:
    overflow, url, metrics = spilling(sqs, name)
    told = [spill(overflow, target, [(f"key-{n}", b"{}")]) for n in range(20) for target in (ONE, TWO)]
    assert all(await asyncio.gather(*told))
    assert len(sqs.proxy.calls_of(SEND)) == 2
    records = [(f"key-{n}", b"{}") for n in range(20)]
    assert found(sqs, url) == {origin_of(ONE): records, origin_of(TWO): records}
    assert metrics.counter(names.SPILLED_RECORDS, ONE.name).value == 20
    await overflow.close()


async def test_no_message_is_longer_than_the_queue_takes_and_no_secret_lies_in_one(
    sqs: Sqs, name: str
) -> None:
    overflow, url, _ = spilling(sqs, name, MaximumMessageSize="20000")
    noise = random.Random(1)
    records = [(f"key-{n}", noise.randbytes(3_000)) for n in range(40)]
    assert await spill(overflow, ONE, records)
    bodies = [each["MessageBody"] for call in sqs.proxy.calls_of(SEND) for each in call.entries]
    assert all(len(body) <= 20_000 for body in bodies)
    assert not any(b"a-secret-id" in repr(unpack(body)).encode() for body in bodies)
    assert sorted(found(sqs, url)[origin_of(ONE)]) == sorted(records)
    await overflow.close()


async def test_a_request_with_a_record_that_fits_into_no_message_is_not_acknowledged_others_are(
    one_sqs: Sqs, name: str
) -> None:
    overflow, url, _ = spilling(one_sqs, name, MaximumMessageSize="20000")
    large = spill(overflow, ONE, [("large", random.Random(1).randbytes(30_000))])
    small = spill(overflow, ONE, [("small", b"{}")])
    assert (await large, await small) == (False, True)
    assert found(one_sqs, url) == {origin_of(ONE): [("small", b"{}")]}
    await overflow.close()


@pytest.mark.parametrize(
    "trouble",
    [
        Refuse(),
        Refuse("AccessDenied"),
        Slow(10),
        Cut(accepted=False),
        FailEntries(10),
        FailEntries(10, "InvalidMessageContents", sender_fault=True),
    ],
    ids=repr,
)
async def test_a_queue_in_trouble_is_told_in_time_and_frees_the_memory(
    one_sqs: Sqs, name: str, trouble: Trouble
) -> None:
    metrics = Metrics()
    overflow = Overflow(
        Queue(one_sqs.session, one_sqs.create_queue(name), metrics),
        metrics=metrics,
        spill_within=0.4,
        held_size=1_000,
    )
    one_sqs.proxy.always(SEND, trouble)
    begun = asyncio.get_running_loop().time()
    told = spill(overflow, ONE, [("key", bytes(900))])
    assert overflow.refuses(200)
    assert not await told
    assert asyncio.get_running_loop().time() - begun < 3
    assert not overflow.refuses(1_000)
    assert metrics.counter(names.SPILLED_RECORDS, ONE.name).value == 0
    one_sqs.proxy.always(SEND, None)
    # On a busy machine even a healthy queue may answer too late for so short a time to spill.
    async with asyncio.timeout(30):
        while not await spill(overflow, ONE, [("key", b"{}")]):
            pass
    await overflow.close()


async def test_what_waits_for_company_is_sent_and_told_when_it_closes(one_sqs: Sqs, name: str) -> None:
    overflow = Overflow(Queue(one_sqs.session, one_sqs.create_queue(name)), linger=60)
    told = spill(overflow, ONE, [("key", b"{}")])
    await overflow.close()
    assert told.result()


async def test_told_true_is_in_the_queue_through_endless_trouble(sqs: Sqs, name: str) -> None:
    overflow, url, _ = spilling(sqs, name)
    chance = random.Random(7)
    safe: list[Record] = []
    for round_ in range(15):
        trouble: list[Trouble] = [
            Refuse(),
            FailEntries(1),
            Cut(accepted=True),
            Cut(accepted=False),
            Slow(0.05),
        ]
        sqs.proxy.trouble(SEND, *chance.choices(trouble, k=2))
        records = [(f"{round_}-{n}", chance.randbytes(50)) for n in range(chance.randrange(1, 30))]
        told = [spill(overflow, chance.choice([ONE, TWO]), [record]) for record in records]
        safe += [record for record, yes in zip(records, await asyncio.gather(*told), strict=True) if yes]
    there = {record for records in found(sqs, url).values() for record in records}
    assert safe
    assert set(safe) <= there
    await overflow.close()
