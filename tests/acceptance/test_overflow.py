"""Kinesis is down: with an overflow queue no client notices, and without one none loses anything."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.testing import FakeKinesis, Outage
from tests.acceptance.clients import Client, Told, connections, users_of
from tests.acceptance.evidence import (
    counted,
    every_copy_explained,
    everything_arrived,
    nothing_was_given_away,
    order_kept,
    told_of,
)
from tests.acceptance.fake_aws import add_source, name_of, stream_of
from tests.acceptance.queues import queues
from tests.acceptance.serving import eventually, serving
from tests.acceptance.soak import OUTAGE_SECONDS
from tests.acceptance.watching import watched
from tests.overflow.sqs import Cut, FailEntries, Garbage, Refuse, Slow

SPILL_SECONDS = 2.0
"""How long a spill may take after the deadline (docs/overflow.md)."""
SLACK_SECONDS = 2.0
"""For a machine with other work to do."""


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


@pytest.mark.slow
@pytest.mark.timeout(OUTAGE_SECONDS * 4 + 120)
async def test_an_outage_under_load_is_none_for_clients_where_there_is_overflow(
    kinesis: FakeKinesis, sqs: str, tmp_path: Path
) -> None:
    source = add_source(kinesis, "outage", shards=6)
    stream, name = stream_of(source), name_of(source)
    over = asyncio.Event()

    async def work(client: Client) -> list[Told]:
        told = []
        while not over.is_set():
            told.append(await client.post(client.request(events_per_user=10, size=400)))
        return told

    with queues(sqs, longest_hidden=5) as kept:
        options = ("--workers", "2", "--acknowledge-within", "1", *kept.options)
        with serving([source], kept.environment(kinesis), tmp_path, *options) as forwarder:
            async with connections() as http:
                users = users_of(source, 320)
                clients = [Client(http, forwarder.url, source, users[n::64]) for n in range(64)]
                working = [asyncio.create_task(work(client)) for client in clients]
                await eventually(lambda: all(client.answers[200] for client in clients))
                with kinesis.faults.add(Outage()):
                    async with watched(forwarder) as watch:
                        await asyncio.sleep(OUTAGE_SECONDS)
                    over.set()
                    told = [one for each in await asyncio.gather(*working) for one in each]
            assert {one.status for one in told} == {200}
            assert max(one.seconds for one in told) < 1 + SPILL_SECONDS + SLACK_SECONDS
            watch.is_flat(clients=len(clients))
            story = kept.story()
            everything_arrived(kinesis.ledger, stream, clients, or_waits=story.left)

            before = kinesis.ledger.totals(stream)
            await eventually(kept.drained, 30 + OUTAGE_SECONDS * 3)
            after = kinesis.ledger.totals(stream)
            drained = after.accepted_records - before.accepted_records
            # Twice what the shards take would be there at once; both workers have to find what that is.
            assert after.offered_records - before.offered_records <= 1.25 * drained
            everything_arrived(kinesis.ledger, stream, clients)
            every_copy_explained(kinesis.ledger, stream, clients, kept.story())
            nothing_was_given_away(forwarder, kinesis, [source])
            spilled = kept.story().sent.total()
            await eventually(lambda: told_of(forwarder, name, "DrainedRecords") >= spilled)
            assert told_of(forwarder, name, "SpilledRecords") == spilled
            forwarder.stop()
        assert counted(forwarder, "SpilledRecords")[name] == spilled
        assert counted(forwarder, "DrainedRecords")[name] >= spilled
        assert not kept.story(kept.dead_letters).sent


@pytest.mark.slow
@pytest.mark.timeout(OUTAGE_SECONDS * 4 + 120)
async def test_an_outage_without_overflow_is_told_to_clients_and_memory_stays_within_its_bounds(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """More comes than may be held, for one destination and for the process, and comes again and again."""
    sources = [add_source(kinesis, f"outage-{number}", shards=8) for number in range(4)]

    async def work(client: Client) -> None:
        await client.deliver(client.request())
        await client.deliver(client.request(events_per_user=100, size=3_000), within=OUTAGE_SECONDS + 60)

    with serving(sources, kinesis.environment(), tmp_path, "--acknowledge-within", "4") as forwarder:
        async with connections() as http:
            clients = [
                Client(http, forwarder.url, source, [user])
                for source in sources
                for user in users_of(source, 90)
            ]
            working = [asyncio.create_task(work(client)) for client in clients]
            await eventually(lambda: all(client.answers[200] for client in clients))
            with kinesis.faults.add(Outage()):
                async with watched(forwarder) as watch:
                    await asyncio.sleep(OUTAGE_SECONDS)
                watch.is_flat(clients=len(clients))
                assert sum(client.answers[503] for client in clients)
                assert sum(client.answers[429] for client in clients)
            await asyncio.gather(*working)
        for source in sources:
            mine = [client for client in clients if client.source is source]
            everything_arrived(kinesis.ledger, stream_of(source), mine)
            order_kept(kinesis.ledger, stream_of(source))
            every_copy_explained(kinesis.ledger, stream_of(source), mine)


@pytest.mark.slow
async def test_while_kinesis_is_down_and_sqs_is_ill_nothing_is_acknowledged_that_is_not_safe(
    kinesis: FakeKinesis, sqs: str, tmp_path: Path
) -> None:
    source = add_source(kinesis, "both", shards=2)
    with queues(sqs, longest_hidden=2) as kept:
        options = ("--workers", "2", "--acknowledge-within", "0.3", *kept.options)
        with serving([source], kept.environment(kinesis), tmp_path, *options) as forwarder:
            async with connections() as http:
                clients = [Client(http, forwarder.url, source, [user]) for user in users_of(source, 20)]

                async def ask_all() -> set[int]:
                    told = await asyncio.gather(*(client.post(client.request(5)) for client in clients))
                    assert all(one.seconds < 0.3 + SPILL_SECONDS + SLACK_SECONDS for one in told)
                    assert all(one.status == 200 or 1 <= (one.retry_after or 0) <= 300 for one in told)
                    return {one.status for one in told}

                outage = kinesis.faults.add(Outage())
                # What passes by within the time of a spill is tried again, and nobody learns of it.
                for trouble in (Refuse(), FailEntries(), Cut(accepted=False), Cut(accepted=True), Garbage()):
                    kept.proxy.trouble("SendMessageBatch", trouble)
                    assert await ask_all() == {200}
                kept.proxy.always("SendMessageBatch", Slow(0.5))
                assert await ask_all() == {200}
                # What does not is told.
                for lasting in (Refuse("ServiceUnavailable", 503), Slow(5)):
                    kept.proxy.always("SendMessageBatch", lasting)
                    assert await ask_all() == {503}
                kept.proxy.always("SendMessageBatch", None)
                await eventually(lambda: forwarder.status()["metrics"]["QueueFailures"])
                kept.proxy.trouble("ReceiveMessage", Refuse(), Garbage(), Cut(accepted=False))
                kept.proxy.trouble("DeleteMessageBatch", Refuse(), FailEntries(), Cut(accepted=True))
                outage.lift()
                assert await ask_all() == {200}
                everything_arrived(kinesis.ledger, stream_of(source), clients, or_waits=kept.story().left)
                await eventually(kept.drained, 60)
            everything_arrived(kinesis.ledger, stream_of(source), clients)
            every_copy_explained(kinesis.ledger, stream_of(source), clients, kept.story())
            nothing_was_given_away(forwarder, kinesis, [source])
