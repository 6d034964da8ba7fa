"""SIGKILL at random instants under load: all that was ever acknowledged is in the stream, or in overflow."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headgate.settings.schema import Source
from headgate.testing import (
    CutAnswer,
    Delay,
    FailRecords,
    FailRequests,
    FakeKinesis,
    Outage,
    ResetConnection,
)
from tests.acceptance.clients import Client, connections, users_of
from tests.acceptance.evidence import every_copy_explained, everything_arrived, order_kept
from tests.acceptance.fake_aws import PUT, add_source, stream_of
from tests.acceptance.queues import Queues, queues
from tests.acceptance.serving import Forwarder, eventually, serving
from tests.acceptance.soak import SOAK

WORKER_KILLS, KILLS_OF_ALL = (100, 100) if SOAK else (6, 3)
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


@dataclass
class Service:
    """A forwarder of a source with strict order and one without, that is started again when it is killed."""

    kinesis: FakeKinesis
    kept: Queues
    directory: Path
    sources: Sequence[Source]
    count: int
    """How many workers it has."""
    running: Forwarder | None = None
    clients: list[Client] = field(default_factory=list)
    started: int = 0

    def start(self, stack: ExitStack) -> None:
        """Start it, for the first time or again; clients find it where it is now."""
        directory = self.directory / str(self.started)
        directory.mkdir(parents=True)
        self.started += 1
        options = ("--workers", str(self.count), "--acknowledge-within", "1", *self.kept.options)
        environment = self.kept.environment(self.kinesis)
        self.running = stack.enter_context(serving(self.sources, environment, directory, *options))
        for client in self.clients:
            client.url = self.running.url

    def workers(self) -> list[int]:
        """Return the process IDs of its workers."""
        assert self.running is not None
        return [worker["pid"] for worker in self.running.status()["workers"]]

    def acknowledged(self) -> int:
        """Return how many requests were answered 200 so far."""
        return sum(client.answers[200] for client in self.clients)


async def work(client: Client, over: asyncio.Event) -> None:
    number = 0
    while not over.is_set():
        number += 1
        await client.deliver(client.request(events_per_user=1 + number % 4), within=120, through_kills=True)


async def kill_workers(service: Service, over: asyncio.Event) -> None:
    """Kill one worker after the other, each under load."""
    for _ in range(WORKER_KILLS):
        await under_load(service)
        pids = await asyncio.to_thread(service.workers)
        os.kill(random.choice(pids), signal.SIGKILL)
    over.set()


async def kill_all(service: Service, over: asyncio.Event, stack: ExitStack) -> None:
    """Kill the parent and its workers at once, and start them again, each time under load."""
    for _ in range(KILLS_OF_ALL):
        await under_load(service)
        assert service.running is not None
        os.killpg(service.running.child.process.pid, signal.SIGKILL)
        await asyncio.to_thread(service.start, stack)
    await under_load(service)
    over.set()


async def under_load(service: Service) -> None:
    """Return at some instant after requests have been answered by what runs now."""
    before = service.acknowledged()
    await eventually(lambda: service.acknowledged() > before + 20, 30)
    await asyncio.sleep(random.uniform(0, 0.5))


async def trouble(kinesis: FakeKinesis, calm: asyncio.Event) -> None:
    """Whatever can go wrong with Kinesis does: all the time, and now and then a short outage."""
    kinesis.faults.add(FailRecords(THROTTLED, probability=0.05))
    kinesis.faults.add(FailRecords("InternalFailure", probability=0.05))
    kinesis.faults.add(FailRequests("InternalFailure", probability=0.05))
    kinesis.faults.add(ResetConnection(probability=0.02, operations=PUT))
    kinesis.faults.add(ResetConnection(accepted=True, probability=0.02, operations=PUT))
    kinesis.faults.add(CutAnswer(probability=0.02, operations=PUT))
    kinesis.faults.add(Delay((0.0, 0.1), operations=PUT))
    while not calm.is_set():
        await asyncio.sleep(random.uniform(1, 2))
        # Longer than a request may wait: some of what is open is spilled, while workers are killed.
        with kinesis.faults.add(Outage(random.choice((500, 503, "reset")))):
            await asyncio.sleep(1.5)
        kinesis.identities.expire_tokens()
        # Clients come again after 5 to 6.5 s: not always into the next outage.
        await asyncio.sleep(random.uniform(1, 6))


@pytest.mark.slow
@pytest.mark.timeout(3_600 if SOAK else 180)
async def test_what_was_acknowledged_survives_sigkill_of_workers_and_of_all(
    kinesis: FakeKinesis, sqs: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        services = []
        for name, workers in (("a-worker", 3), ("all", 2)):
            sources = [
                add_source(kinesis, f"{name}-{ordering}", ordering=ordering)
                for ordering in ("lane", "strict")
            ]
            kept = stack.enter_context(queues(sqs, longest_hidden=3))
            services.append(Service(kinesis, kept, tmp_path / name, sources, workers))
        async with connections() as http:
            for service in services:
                await asyncio.to_thread(service.start, stack)
                assert service.running is not None
                for source in service.sources:
                    users = users_of(source, 24)
                    service.clients += [
                        Client(http, service.running.url, source, users[n::8]) for n in range(8)
                    ]
            one_by_one, all_at_once = services
            over, over_too, calm = asyncio.Event(), asyncio.Event(), asyncio.Event()
            troubling = asyncio.create_task(trouble(kinesis, calm))
            working = [asyncio.create_task(work(client, over)) for client in one_by_one.clients]
            working += [asyncio.create_task(work(client, over_too)) for client in all_at_once.clients]
            await asyncio.gather(kill_workers(one_by_one, over), kill_all(all_at_once, over_too, stack))
            calm.set()
            await asyncio.gather(*working)
            await troubling
        kinesis.faults.clear()
        for service in services:
            await all_is_told(kinesis, service)
        assert any(service.kept.story().sent for service in services)


async def all_is_told(kinesis: FakeKinesis, service: Service) -> None:
    kept = service.kept
    for source in service.sources:
        clients = [client for client in service.clients if client.source is source]
        # At once: in the stream or the queue. And after a while: in the stream.
        everything_arrived(kinesis.ledger, stream_of(source), clients, or_waits=kept.story().left)
    await eventually(kept.drained, 60)
    story = kept.story()
    for source in service.sources:
        stream = stream_of(source)
        clients = [client for client in service.clients if client.source is source]
        everything_arrived(kinesis.ledger, stream, clients)
        order_kept(kinesis.ledger, stream, strict=stream.endswith("strict"), but=story.sent)
        again = every_copy_explained(kinesis.ledger, stream, clients, story)
        assert again, "a kill while requests are open makes some of them come again"
    assert not kept.story(kept.dead_letters).sent
