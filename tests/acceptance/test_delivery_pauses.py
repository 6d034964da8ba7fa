"""A destination to which nothing can be delivered: one log line, 503 meanwhile, nobody else is touched."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.settings.schema import Source
from headgate.testing import FailRequests, FakeKinesis, HangConnection
from tests.acceptance.clients import Client, connections, users_of
from tests.acceptance.evidence import everything_arrived, nothing_was_given_away, order_kept
from tests.acceptance.fake_aws import MODES, add_destination, add_source, name_of, role_of, stream_of
from tests.acceptance.regions import regions
from tests.acceptance.serving import eventually, serving


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


def break_stream(kinesis: FakeKinesis, source: Source) -> Callable[[], object]:
    """Let a source's stream disappear; return what brings it back."""
    stream = stream_of(source)
    kinesis.delete_stream(stream)
    return lambda: kinesis.create_stream(stream, 4)


def break_role(kinesis: FakeKinesis, source: Source) -> Callable[[], object]:
    """Let a source's role refuse, now that its credentials have ended; return what makes it trust again."""
    role = role_of(source)
    kinesis.identities.distrust(role)
    kinesis.identities.expire_tokens()
    return lambda: kinesis.identities.trust(role)


def break_key(kinesis: FakeKinesis, source: Source) -> Callable[[], object]:
    """Disable the KMS key of a source's stream; return what enables it."""
    disabled = kinesis.faults.add(FailRequests("KMSDisabledException", stream=stream_of(source)))
    return disabled.lift


BREAK = {
    "ResourceNotFoundException": break_stream,
    "AssumeRoleDenied": break_role,
    "KMSDisabledException": break_key,
}
"""What somebody has to mend, by the code that names it."""


async def test_what_somebody_must_mend_is_told_once_and_clients_wait_until_it_is_mended(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    codes = {f"{code.lower()}-{mode}": code for code, mode in itertools.product(BREAK, MODES)}
    sources = [add_source(kinesis, name, name.rpartition("-")[2]) for name in codes]

    async def story(client: Client) -> None:
        code = codes[stream_of(client.source)]
        await client.deliver(client.request())
        mend = BREAK[code](kinesis, client.source)
        waiting = client.request()
        for _ in range(3):
            told = await client.post(waiting)
            assert (told.status, told.code) == (503, code)
            assert told.retry_after is not None
            assert 1 <= told.retry_after <= 300
        mend()
        await client.deliver(waiting)
        await client.deliver(client.request())

    with serving(sources, kinesis.environment(), tmp_path) as forwarder:
        async with connections() as http:
            clients = [Client(http, forwarder.url, source, users_of(source, 5)) for source in sources]
            await asyncio.gather(*(story(client) for client in clients))
        for client in clients:
            source, stream = client.source, stream_of(client.source)
            [error] = forwarder.said(level="error", destination=name_of(source))
            named = {"region": "us-west-2", "stream": stream, "role": role_of(source), "code": codes[stream]}
            assert named.items() <= error.items()
            assert len(forwarder.said(level="info", destination=name_of(source))) == 1
            assert client.answers[200] == 3
            everything_arrived(kinesis.ledger, stream, [client])
            order_kept(kinesis.ledger, stream)
        nothing_was_given_away(forwarder, kinesis, sources)


async def test_dead_destinations_do_not_touch_a_healthy_one(kinesis: FakeKinesis, tmp_path: Path) -> None:
    """One stream is missing; and one region hangs, STS and all, for a dozen destinations."""
    with FakeKinesis(region="eu-west-1") as hanging:
        healthy, missing = add_source(kinesis, "healthy"), add_source(kinesis, "missing")
        kinesis.delete_stream("missing")
        hung = [add_source(hanging, f"hung-{number}", region="eu-west-1") for number in range(12)]
        hanging.faults.add(HangConnection(operations=("AssumeRole",)))
        sources, options = [healthy, missing, *hung], ("--acknowledge-within", "3")
        with (
            regions({"us-west-2": kinesis, "eu-west-1": hanging}) as environment,
            serving(sources, environment, tmp_path, *options) as forwarder,
        ):
            async with connections() as http:
                clients = {each.id: Client(http, forwarder.url, each, users_of(each, 4)) for each in sources}
                dead = [clients[source.id] for source in (missing, *hung)]
                waiting = [asyncio.create_task(client.post(client.request())) for client in dead]
                told = []
                while not all(each.done() for each in waiting):
                    told.append(await clients[healthy.id].post(clients[healthy.id].request()))
                    kinesis.identities.expire_tokens()
                assert len(told) > 10
                assert {each.status for each in told} == {200}
                assert max(each.seconds for each in told) < 2
                refused = [await each for each in waiting]
                assert [each.status for each in refused] == [503] * 13
                assert [each.code for each in refused] == ["ResourceNotFoundException"] + ["deadline"] * 12
                everything_arrived(kinesis.ledger, "healthy", [clients[healthy.id]])


async def test_a_source_with_one_of_two_destinations_paused_queues_nothing_for_the_other(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """Admission is all or nothing: only a request let through as a probe may reach the healthy stream."""
    for stream in ("well", "ill"):
        kinesis.create_stream(stream)
    both = tuple(add_destination(kinesis, stream) for stream in ("well", "ill"))
    source = Source(id="src-two", write_keys=("wk-two",), destinations=both)
    with serving([source], kinesis.environment(), tmp_path) as forwarder:
        async with connections() as http:
            client = Client(http, forwarder.url, source, users_of(source, 3))
            await client.deliver(client.request())
            kinesis.delete_stream("ill")
            refused = [client.request() for _ in range(20)]
            for request in refused:
                told = await client.post(request)
                assert (told.status, told.code) == (503, "ResourceNotFoundException")
            probes = sum(each.stream == "ill" for each in kinesis.ledger.requests("PutRecords")) - 1
            assert probes < len(refused)
            assert len(kinesis.ledger.records("well")) <= 3 * (1 + probes)
            await eventually(lambda: forwarder.destinations()["src-two/ill"]["paused"])
            assert forwarder.destinations()["src-two/ill"]["paused"]["code"] == "ResourceNotFoundException"
            kinesis.create_stream("ill")
            for request in refused:
                await client.deliver(request)
        assert client.answers[200] == 21
        for stream in ("well", "ill"):
            everything_arrived(kinesis.ledger, stream, [client])
            order_kept(kinesis.ledger, stream)
