"""What is acknowledged is in the stream, once and in order, whatever Kinesis does meanwhile."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import aiohttp
import pytest

from headgate.settings.schema import Source
from headgate.testing import (
    CutAnswer,
    Delay,
    FailRecords,
    FailRequests,
    FakeKinesis,
    HangConnection,
    Outage,
    ResetConnection,
    ShardTotals,
)
from headgate.testing.faults import Fault
from headgate.testing.streams import hash_key
from tests.acceptance.clients import Client, Told, connections, users_of
from tests.acceptance.evidence import (
    counted,
    everything_arrived,
    nothing_was_given_away,
    only_failed_records_came_again,
    order_kept,
)
from tests.acceptance.fake_aws import MODES, PUT, Mode, add_source, name_of, stream_of
from tests.acceptance.one_by_one import STREAM, OneByOne
from tests.acceptance.serving import Forwarder, eventually, serving

OUTAGES: tuple[Literal[503], Literal["reset"]] = (503, "reset")
THROTTLED = "ProvisionedThroughputExceededException"


def troubles(stream: str, mode: Mode) -> dict[str, list[Fault]]:
    """Return what goes wrong with a stream, by the trouble that its name begins with."""
    return {
        "records-fail": [
            FailRecords(THROTTLED, stream=stream, probability=0.05),
            FailRecords("InternalFailure", stream=stream, probability=0.05),
        ],
        "strict": [
            FailRecords(THROTTLED, stream=stream, probability=0.2),
            ResetConnection(stream=stream, probability=0.05),
            ResetConnection(accepted=True, stream=stream, probability=0.05),
        ],
        "requests-fail": [
            FailRequests("InternalFailure", stream=stream, probability=0.15),
            FailRequests("ServiceUnavailable", stream=stream, probability=0.05),
        ],
        "connections-break": [
            CutAnswer(stream=stream, operations=PUT, times=2),
            ResetConnection(stream=stream, probability=0.1),
            ResetConnection(accepted=True, stream=stream, probability=0.1),
        ],
        "slow": [Delay((0.0, 0.3), stream=stream)],
        "hanging": [HangConnection(accepted=mode == "blind", stream=stream, operations=PUT, times=1)],
    }


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


def test_a_role_that_may_put_single_records_alone_has_them_delivered_one_by_one(one_by_one: OneByOne) -> None:
    assert one_by_one.as_singles["mode"] == "singles"
    assert one_by_one.as_singles["paused"] is None
    assert one_by_one.acknowledged
    [warning] = one_by_one.forwarder.said(
        level="warning", destination=name_of(one_by_one.source), stream=STREAM
    )
    assert warning["message"].startswith("PutRecords is denied")
    assert warning["code"] == "AccessDeniedException"


async def test_whatever_goes_wrong_all_that_was_acknowledged_is_there_and_in_order(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """Every trouble has a source of its own; and all of them meet expired credentials and outages too."""
    sources: list[Source] = []
    for trouble, mode in itertools.product(troubles("", "blind"), MODES):
        stream = f"{trouble}-{mode}"
        ordering = "strict" if trouble == "strict" else "lane"
        sources.append(add_source(kinesis, stream, mode, ordering=ordering))
        for fault in troubles(stream, mode)[trouble]:
            kinesis.faults.add(fault)

    async def trouble_all() -> None:
        for answer in itertools.cycle(OUTAGES):
            await asyncio.sleep(1.5)
            kinesis.identities.expire_tokens()
            kinesis.faults.add(Outage(answer, lasting=0.2))

    async def work(client: Client) -> None:
        for number in range(18):
            await client.deliver(client.request(events_per_user=1 + number % 3))

    # Long enough for a hung request to be given up and sent again.
    options = ("--acknowledge-within", "20")
    with serving(sources, kinesis.environment(), tmp_path, *options) as forwarder:
        async with connections() as http:
            clients = {
                source.id: [
                    Client(http, forwarder.url, source, users)
                    for users in (users_of(source, 5)[:1], users_of(source, 5)[1:])
                ]
                for source in sources
            }
            troubling = asyncio.create_task(trouble_all())
            await asyncio.gather(*(work(client) for of_source in clients.values() for client in of_source))
            troubling.cancel()

        ledger = kinesis.ledger
        for source in sources:
            stream = stream_of(source)
            everything_arrived(ledger, stream, clients[source.id])
            order_kept(ledger, stream, strict="strict" in stream)
            only_failed_records_came_again(ledger, stream)
        assert not any(ledger.duplicates(stream_of(source)) for source in sources if "fail" in source.id)
        struck = Counter(type(active.fault) for active in kinesis.faults.active if active.struck)
        assert struck.keys() == {type(active.fault) for active in kinesis.faults.active}
        assert ledger.errors["ExpiredTokenException"]

        await tells_the_truth(forwarder, sources, events=18 * 2 * 5)
        nothing_was_given_away(forwarder, kinesis, sources)
        forwarder.stop()
    nothing_was_given_away(forwarder, kinesis, sources)
    throttled, retried = counted(forwarder, "ThrottledRecords"), counted(forwarder, "RetriedRecords")
    doubtful = counted(forwarder, "PossibleDuplicates")
    for source in sources:
        assert doubtful[name_of(source)] >= len(ledger.duplicates(stream_of(source)))
        if "records-fail" in source.id:
            assert 0 < throttled[name_of(source)] < retried[name_of(source)]


async def test_when_a_client_is_told_200_the_stream_has_its_events_so_that_a_kill_loses_none(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    source = add_source(kinesis, "killed")
    kinesis.faults.add(Delay((0.0, 0.2), operations=PUT))
    kinesis.faults.add(FailRecords(THROTTLED, probability=0.1))

    async def work(client: Client) -> None:
        while True:
            request = client.request(events_per_user=2)
            if (await client.post(request)).status == 200:
                has = kinesis.ledger.by_message_id(stream_of(source))
                assert all(event["messageId"] in has for event in request)

    with serving([source], kinesis.environment(), tmp_path) as forwarder:
        async with connections() as http:
            clients = [Client(http, forwarder.url, source, [user]) for user in users_of(source, 8)]
            working = [asyncio.create_task(work(client)) for client in clients]
            await eventually(lambda: sum(client.answers[200] for client in clients) > 60)
            forwarder.child.process.kill()
            for each in asyncio.as_completed(working):
                with pytest.raises(aiohttp.ClientError):
                    await each
            everything_arrived(kinesis.ledger, stream_of(source), clients)


async def tells_the_truth(forwarder: Forwarder, sources: Sequence[Source], *, events: int) -> None:
    """`/statusz` comes to show that each source sent so many events, and each was delivered once."""

    def shown() -> list[tuple[int, int]]:
        page = forwarder.status()
        accepted = [page["sources"][source.id]["accepted"] for source in sources]
        metrics = [page["destinations"][name_of(source)]["metrics"] for source in sources]
        return list(zip(accepted, (each["DeliveredRecords"] for each in metrics), strict=True))

    await eventually(lambda: min(shown()) >= (events, events))
    assert set(shown()) == {(events, events)}


async def test_a_hot_shard_of_eight_does_not_touch_the_requests_for_the_other_seven(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    sources = [add_source(kinesis, f"hot-{mode}", mode, shards=8) for mode in MODES]

    def shard_of(source: Source, user: str) -> str:
        return kinesis.stream(stream_of(source)).shard_of(hash_key(user)).shard_id

    async def flood(client: Client) -> None:
        while True:
            await client.deliver(client.request(events_per_user=100))

    async def go_on(client: Client) -> list[Told]:
        told = []
        while kinesis.ledger.totals().accepted_records < 8_000:
            told.append(await client.post(client.request()))
            await asyncio.sleep(0.02)
        return told

    with serving(sources, kinesis.environment(), tmp_path) as forwarder:
        async with connections() as http:
            flooding, untouched = [], []
            for source in sources:
                hot, *others = users_of(source, 60)
                elsewhere = {shard_of(source, user): [user] for user in others}
                elsewhere.pop(shard_of(source, hot))
                assert len(elsewhere) == 7
                untouched += [Client(http, forwarder.url, source, users) for users in elsewhere.values()]
                flooding += [Client(http, forwarder.url, source, [hot]) for _ in range(20)]
            floods = [asyncio.create_task(flood(client)) for client in flooding]
            told = list(itertools.chain(*await asyncio.gather(*map(go_on, untouched))))
            for task in floods:
                task.cancel()
            await asyncio.gather(*floods, return_exceptions=True)
        assert len(told) > 200
        assert {one.status for one in told} == {200}
        assert max(one.seconds for one in told) < 2
        for source in sources:
            assert any(lane["throttled"] for lane in forwarder.destinations()[name_of(source)]["lanes"])
            everything_arrived(
                kinesis.ledger,
                stream_of(source),
                [one for one in [*flooding, *untouched] if one.source is source],
            )


async def test_shards_split_and_merge_under_traffic_and_nothing_is_lost_or_overtaken(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    sources = [
        add_source(kinesis, f"{ordering}-{mode}", mode, shards=2, ordering=ordering)
        for ordering, mode in itertools.product(("lane", "strict"), MODES)
    ]
    for source in sources:
        kinesis.faults.add(FailRecords(THROTTLED, stream=stream_of(source), probability=0.05))

    def has_accepted(stream: str, records: int) -> bool:
        return kinesis.ledger.totals(stream).accepted_records >= records

    async def reshard(stream: str) -> None:
        for number in range(9):
            enough = kinesis.ledger.totals(stream).accepted_records + 100
            await eventually(partial(has_accepted, stream, enough))
            shards = [shard.shard_id for shard in kinesis.stream(stream).open_shards]
            if number % 3 == 2:
                kinesis.merge(stream, shards[1], shards[2])
            else:
                kinesis.split(stream, shards[number % 2])

    async def work(client: Client, resharding: asyncio.Task[None]) -> None:
        while not resharding.done():
            await client.deliver(client.request(events_per_user=2))

    with serving(sources, kinesis.environment(), tmp_path, "--workers", "2") as forwarder:
        async with connections() as http:
            working = []
            clients = {}
            for source in sources:
                resharding = asyncio.create_task(reshard(stream_of(source)))
                users = users_of(source, 40)
                clients[source.id] = [Client(http, forwarder.url, source, users[n::4]) for n in range(4)]
                working += [resharding, *(work(client, resharding) for client in clients[source.id])]
            await asyncio.gather(*working)
        for source in sources:
            stream = stream_of(source)
            everything_arrived(kinesis.ledger, stream, clients[source.id])
            order_kept(kinesis.ledger, stream, strict="strict" in stream)
            assert not kinesis.ledger.duplicates(stream)
            assert len(kinesis.ledger.shards(stream)) > 9


@pytest.mark.slow
async def test_throttling_shards_are_used_to_their_limits_and_little_is_sent_twice(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """Twice what a shard takes is offered, by clients that come again when they are told to."""
    sources = [add_source(kinesis, f"throttling-{mode}", mode, shards=1) for mode in MODES]
    batch, clients_of_each, seconds_between = 25, 300, 25 * 300 / 2_000

    async def work(client: Client) -> None:
        await asyncio.sleep(seconds_between * random.random())
        while True:
            await client.deliver(client.request())
            await asyncio.sleep(seconds_between * random.uniform(0, 2))

    def totals() -> list[ShardTotals]:
        return [kinesis.ledger.totals(stream_of(source)) for source in sources]

    with serving(sources, kinesis.environment(), tmp_path, "--acknowledge-within", "3") as forwarder:
        async with connections() as http:
            clients = [
                Client(http, forwarder.url, source, users_of(source, (n + 1) * batch)[n * batch :])
                for source in sources
                for n in range(clients_of_each)
            ]
            working = [asyncio.create_task(work(client)) for client in clients]
            await eventually(lambda: all(each.accepted_records < each.offered_records for each in totals()))
            # A rate takes its time: two seconds to find its pace, then it is watched.
            await asyncio.sleep(2)
            began, before = time.monotonic(), totals()
            await asyncio.sleep(8)
            seconds, after = time.monotonic() - began, totals()
            for each in working:
                each.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        for source, was, now in zip(sources, before, after, strict=True):
            taken = now.accepted_bytes - was.accepted_bytes
            of_source = [client for client in clients if client.source is source]
            assert now.accepted_records - was.accepted_records >= 0.98 * 1_000 * seconds
            assert now.offered_bytes - was.offered_bytes - taken <= 0.02 * taken
            # 429 where memory is full first, 503 where the deadline comes first: the machine decides which.
            assert sum(client.answers[429] + client.answers[503] for client in of_source) > 0
            everything_arrived(kinesis.ledger, stream_of(source), of_source)
