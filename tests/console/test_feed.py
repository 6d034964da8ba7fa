"""A stream is read once for all that look at it, as long as one does, and each record comes once."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headgate.console import feed as feeds
from headgate.console.feed import MOST_KEPT, Feed, Feeds, Listener, Seen, Stream
from headgate.reading.reader import Batch
from headgate.testing import FailRequests, FakeKinesis
from tests.console import streams
from tests.console.streams import kinesis_of, until
from tests.testing.asking import boto3_client

EVENTS = Stream("us-west-2", "events")


@pytest.fixture(scope="module")
def served() -> Iterator[FakeKinesis]:
    with kinesis_of(events=2) as kinesis:
        yield kinesis


@pytest.fixture
def kinesis(served: FakeKinesis) -> FakeKinesis:
    served.reset()
    return served


def put(kinesis: FakeKinesis, *keys: str, data: bytes = b"{}") -> None:
    streams.put(kinesis, *((key, data) for key in keys))


async def heard(listener: Listener, count: int) -> list[Seen]:
    """Return so many records, in the order of their numbers."""
    found: list[Seen] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found += await listener.next(1)
    return found


def keys(found: list[Seen]) -> list[str]:
    return sorted(each.record.partition_key for each in found)


def readers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "feed events"]


@asynccontextmanager
async def opened(made: Feeds) -> AsyncIterator[Feed]:
    try:
        yield made.of(EVENTS)
    finally:
        made.close()
        await until(lambda: not readers())


async def test_one_reader_serves_many_listeners(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:
        with feed.listening() as first, feed.listening() as second:
            put(kinesis, "a", "b", "c")
            assert keys(await heard(first, 3)) == keys(await heard(second, 3)) == ["a", "b", "c"]
            with feed.listening() as late:
                assert [each.number for each in await late.next(1)] == [1, 2, 3]
            assert len(readers()) == 1
    assert kinesis.ledger.calls["ListShards"] == 1


async def test_it_is_read_from_a_few_seconds_back_while_somebody_listens_and_a_little_longer(
    kinesis: FakeKinesis,
) -> None:
    put(kinesis, "before")
    feed = Feed(EVENTS, lambda _: boto3_client(kinesis), linger=0.2)
    assert not readers()
    with feed.listening() as listener:
        assert keys(await heard(listener, 1)) == ["before"]
    with feed.listening():
        assert len(readers()) == 1, "who comes back at once finds it running"
        await asyncio.sleep(0.3)
        assert readers()
    await until(lambda: not readers())
    assert feed.after(0) == []
    put(kinesis, "meanwhile")
    with feed.listening() as again:
        found = await heard(again, 1)
        assert [(each.record.partition_key, each.number) for each in found] == [("meanwhile", 2)]
        assert again.missed == 0
    feed.close()


async def test_whoever_was_away_too_long_begins_anew(kinesis: FakeKinesis) -> None:
    now = time.time()
    feed = Feed(EVENTS, lambda _: boto3_client(kinesis), now=lambda: now)
    with feed.listening() as listener:
        put(kinesis, "a")
        await heard(listener, 1)
    feed.close()
    put(kinesis, "meanwhile")
    await until(lambda: not readers())
    now += 301
    with feed.listening() as listener:
        await until(lambda: kinesis.ledger.calls["GetShardIterator"] == 4)
        assert await listener.next(0.2) == []
    feed.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "reading 'events' in us-west-2: AccessDeniedException: "),
        ("KMSDisabledException", "reading 'events' in us-west-2: KMSDisabledException: "),
        ("ResourceNotFoundException", "no stream 'events' in us-west-2: "),
        (
            "ProvisionedThroughputExceededException",
            "reading 'events' in us-west-2: ProvisionedThroughputExceededException; it is tried again",
        ),
    ],
)
async def test_a_fault_is_told_until_it_is_mended_and_nothing_comes_twice(
    kinesis: FakeKinesis, code: str, said: str
) -> None:
    async with opened(Feeds()) as feed:
        with feed.listening() as listener:
            put(kinesis, *"abcd")
            found = await heard(listener, 4)
            assert feed.fault is None
            with kinesis.faults.add(FailRequests(code, operations=("GetRecords",))):
                await until(lambda: feed.fault)
                assert feed.fault is not None
                assert feed.fault.startswith(said)
                assert "\n" not in feed.fault
                put(kinesis, *"efgh")
            found += await heard(listener, 4)
            await until(lambda: feed.fault is None)
            assert keys(found) == list("abcdefgh")
            assert await listener.next(0.3) == []
            assert [each.number for each in found] == list(range(1, 9))


async def test_a_stream_that_is_not_there_yet_is_read_once_it_is(kinesis: FakeKinesis) -> None:
    kinesis.delete_stream("events")
    async with opened(Feeds()) as feed:
        with feed.listening() as listener:
            await until(lambda: feed.fault)
            assert str(feed.fault).startswith("no stream 'events' in us-west-2: ")
            kinesis.create_stream("events", 1)
            put(kinesis, "a")
            assert keys(await heard(listener, 1)) == ["a"]
            kinesis.delete_stream("events")
            await until(lambda: feed.fault)
            kinesis.create_stream("events", 3)
            put(kinesis, "b")
            assert keys(await heard(listener, 1)) == ["b"]
            assert feed.fault is None


async def test_what_no_client_can_be_made_for_is_a_fault_too() -> None:
    def refused(_: Stream) -> Any:
        raise ValueError("not\nin this region")

    feed = Feed(EVENTS, refused)
    with feed.listening():
        await until(lambda: feed.fault)
        assert feed.fault == "ValueError: not in this region"
    feed.close()


async def test_splits_and_merges_are_followed_each_key_in_its_order(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:
        with feed.listening() as listener:
            found: list[Seen] = []
            put(kinesis, "a", "b", data=b"1")
            found += await heard(listener, 2)
            low, high = kinesis.split("events", "shardId-000000000000")
            put(kinesis, "a", "b", data=b"2")
            kinesis.merge("events", low, high)
            put(kinesis, "a", "b", data=b"3")
            found += await heard(listener, 4)
            for key in "ab":
                datas = [each.record.data for each in found if each.record.partition_key == key]
                assert datas == [b"1", b"2", b"3"]


async def test_a_flood_takes_bounded_memory_and_tells_how_much_was_missed(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:
        with feed.listening() as listener:
            for _ in range(10):
                put(kinesis, *map(str, range(500)))
            await until(lambda: feed.last_number == 5_000)
            assert len(feed.after(0)) == MOST_KEPT
            assert feed.seen(feed.first_kept - 1) is None
            assert feed.seen(feed.last_number + 1) is None
            for number in (feed.first_kept, feed.last_number):
                seen = feed.seen(number)
                assert seen is not None
                assert seen.number == number
            found = await listener.next(1)
            assert [each.number for each in found] == list(range(3_001, 5_001))
            assert listener.missed == 3_000


async def test_large_records_are_bounded_by_their_bytes(
    kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MOST_KEPT_BYTES", 250_000)
    async with opened(Feeds()) as feed:
        with feed.listening() as listener:
            put(kinesis, *"abcde", data=bytes(100_000))
            await until(lambda: feed.last_number == 5)
            assert [each.number for each in await listener.next(1)] == [4, 5]
            assert listener.missed == 3


async def test_the_reader_waits_for_a_loop_that_is_behind(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:
        with feed.listening():
            await until(lambda: kinesis.ledger.calls["GetRecords"] >= 2)
            put(kinesis, *map(str, range(500)))
            before = kinesis.ledger.calls["GetRecords"]
            time.sleep(1)  # noqa: ASYNC251  # the loop is to do nothing else
            assert kinesis.ledger.calls["GetRecords"] - before <= feeds._BATCHES_AHEAD + 4
            await until(lambda: feed.last_number == 500)


async def test_one_that_is_slow_and_one_that_vanishes_harm_nobody(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:

        async def vanish() -> None:
            with feed.listening() as listener:
                while True:
                    await listener.next(1)

        vanishing = asyncio.create_task(vanish())
        with feed.listening() as slow, feed.listening() as quick:
            await asyncio.sleep(0)
            put(kinesis, "a")
            assert keys(await heard(quick, 1)) == ["a"]
            vanishing.cancel()
            put(kinesis, "b")
            assert keys(await heard(quick, 1)) == ["b"]
            assert keys(await slow.next(1)) == ["a", "b"]


async def test_watchers_see_every_batch_the_empty_ones_too(kinesis: FakeKinesis) -> None:
    async with opened(Feeds()) as feed:
        batches: list[Batch] = []
        feed.watchers.append(batches.append)
        with feed.listening() as listener:
            await until(lambda: batches)
            assert not batches[0].records
            put(kinesis, "a")
            await heard(listener, 1)
            assert sum(len(batch.records) for batch in batches) == 1
