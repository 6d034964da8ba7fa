"""A stop under load: no request fails, nothing acknowledged is lost, and it ends in time."""

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from headgate.testing import FailRecords, FakeKinesis, HangConnection, Outage
from tests.acceptance.clients import Client, Told, connections, users_of
from tests.acceptance.evidence import every_copy_explained, everything_arrived, order_kept
from tests.acceptance.fake_aws import PUT, add_source, stream_of
from tests.acceptance.queues import queues
from tests.acceptance.serving import Forwarder, eventually, serving


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


async def ended(forwarder: Forwarder, within: float) -> float:
    """Return how many seconds from now a forwarder takes to end, with status 0."""
    began = time.monotonic()
    await eventually(lambda: forwarder.child.process.poll() is not None, within)
    assert forwarder.child.process.returncode == 0, forwarder.child.last_line()
    return time.monotonic() - began


@pytest.mark.slow
async def test_while_it_stops_no_request_of_a_client_that_is_led_elsewhere_fails(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """As behind a load balancer: `/healthz` says that it stops, and a moment later nobody comes any more."""
    source = add_source(kinesis, "stopping")
    kinesis.faults.add(FailRecords("InternalFailure", probability=0.05))
    drain, acknowledge_within = 3, 2
    options = ("--workers", "2", "--drain", str(drain), "--acknowledge-within", str(acknowledge_within))

    async def lead_elsewhere(url: str, elsewhere: asyncio.Event) -> None:
        failed = 0
        while failed < 4:
            async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz") as answer:
                failed = failed + 1 if answer.status == 503 else 0
            await asyncio.sleep(0.25)
        elsewhere.set()

    async def work(client: Client, elsewhere: asyncio.Event) -> int:
        while not elsewhere.is_set():
            told = await client.post(client.request(events_per_user=3))
            assert told.status == 200
        return client.answers[200]

    with serving([source], kinesis.environment(), tmp_path, *options) as forwarder:
        async with connections() as http:
            clients = [Client(http, forwarder.url, source, [user]) for user in users_of(source, 32)]
            elsewhere = asyncio.Event()
            leading = asyncio.create_task(lead_elsewhere(forwarder.url, elsewhere))
            working = [asyncio.create_task(work(client, elsewhere)) for client in clients]
            await eventually(lambda: all(client.answers[200] > 5 for client in clients))
            before = sum(client.answers[200] for client in clients)
            forwarder.child.process.terminate()
            stopping = asyncio.create_task(ended(forwarder, drain + acknowledge_within + 5))
            await asyncio.gather(leading, *working)
            assert sum(client.answers[200] for client in clients) > before + len(clients)
            await stopping
    everything_arrived(kinesis.ledger, stream_of(source), clients)
    order_kept(kinesis.ledger, stream_of(source))
    assert every_copy_explained(kinesis.ledger, stream_of(source), clients) == 0


@pytest.mark.slow
async def test_what_a_dead_kinesis_does_not_take_from_a_stopping_forwarder_is_spilled(
    kinesis: FakeKinesis, sqs: str, tmp_path: Path
) -> None:
    source = add_source(kinesis, "dead")
    drain, acknowledge_within = 1, 3
    options = ("--workers", "2", "--drain", str(drain), "--acknowledge-within", str(acknowledge_within))
    with queues(sqs) as kept:
        environment = kept.environment(kinesis)
        with serving([source], environment, tmp_path, *options, *kept.options) as forwarder:
            async with connections() as http:
                clients = [Client(http, forwarder.url, source, [user]) for user in users_of(source, 40)]
                kinesis.faults.add(HangConnection(stream=stream_of(source), probability=0.5))
                kinesis.faults.add(Outage())
                asked = [asyncio.create_task(client.post(client.request(3))) for client in clients]
                await eventually(lambda: kinesis.ledger.calls["PutRecords"])
                forwarder.child.process.terminate()
                stopping = asyncio.create_task(ended(forwarder, drain + acknowledge_within + 5))
                told = await asyncio.gather(*asked)
                assert {one.status for one in told} == {200}
                await stopping
        left = kept.story().left
        everything_arrived(kinesis.ledger, stream_of(source), clients, or_waits=left)
        assert left.total() == len(clients) * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "workers", "drain", "overflow"),
    [
        pytest.param(signal.SIGTERM, "2", "50", True, id="while-it-drains"),
        pytest.param(signal.SIGINT, "1", "50", False, id="by-hand"),
        pytest.param(signal.SIGTERM, "1", "0", True, id="while-it-settles"),
        pytest.param(signal.SIGINT, "2", "0", False, id="while-it-settles-by-hand"),
    ],
)
async def test_a_second_signal_makes_haste_and_loses_nothing(
    kinesis: FakeKinesis,
    sqs: str,
    tmp_path: Path,
    second: signal.Signals,
    workers: str,
    drain: str,
    overflow: bool,
) -> None:
    source = add_source(kinesis, "haste")
    kinesis.faults.add(HangConnection(stream=stream_of(source), operations=PUT, accepted=True))
    options = ("--workers", workers, "--drain", drain, "--acknowledge-within", "50")
    with queues(sqs) as kept:
        options += kept.options if overflow else ()
        with serving([source], kept.environment(kinesis), tmp_path, *options) as forwarder:
            async with connections() as http:
                clients = [Client(http, forwarder.url, source, [user]) for user in users_of(source, 20)]
                asked = [asyncio.create_task(client.post(client.request(3))) for client in clients]
                await eventually(lambda: kinesis.ledger.calls["PutRecords"] >= 1)
                # Whatever is on its way has come: a connection that nobody has accepted yet may be refused.
                await eventually(lambda: held(forwarder, source.id) == 60)
                forwarder.child.process.terminate()
                await eventually(lambda: len(forwarder.said(message="draining")) == int(workers))
                assert not any(each.done() for each in asked)
                forwarder.child.process.send_signal(second)
                stopping = asyncio.create_task(ended(forwarder, 8))
                told: list[Told] = await asyncio.gather(*asked)
                await stopping
        left = kept.story().left
    everything_arrived(kinesis.ledger, stream_of(source), clients, or_waits=left)
    if overflow:
        assert {one.status for one in told} == {200}
        assert left.total() == 60
    else:
        assert {(one.status, one.code) for one in told} == {(503, "stopping")}
        assert all(one.retry_after is not None and 1 <= one.retry_after <= 300 for one in told)


def held(forwarder: Forwarder, source_id: str) -> int:
    """Return how many records of a source the forwarder holds."""
    return int(
        sum(
            shown["metrics"].get("HeldRecords", 0)
            for name, shown in forwarder.destinations().items()
            if name.startswith(f"{source_id}/")
        )
    )
