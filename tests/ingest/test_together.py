"""Settings, the HTTP side and delivery in one process: what changes, and what does not."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import botocore.session
import pytest

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.submission import Outcome
from headgate.delivery.wire.client import Wire as KinesisWire
from headgate.ingest.connections import Connections
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.metrics.store import Count
from headgate.settings import watch
from headgate.settings.file_store import FileStore
from headgate.settings.schema import read_toml
from headgate.settings.store import first_of
from headgate.settings.watch import Watch
from headgate.testing import FailRecords, FakeKinesis
from tests.ingest.serving import Delivery as Delivered
from tests.ingest.serving import request
from tests.ingest.wire import Transport, split_answers

TRACK = {"userId": "u", "event": "e", "messageId": "m", "properties": {"order_id": 7.50}}


def toml(*destinations: str, source: str = "src", write_key: str = "wk") -> str:
    head = f'[[sources]]\nid = "{source}"\nwrite_keys = ["{write_key}"]\n'
    return head + "".join(f"[[sources.destinations]]\n{each}\n" for each in destinations)


def sent(api: TrackingApi, body: dict[str, Any]) -> Transport:
    """Send a batch on a connection of its own."""
    transport = Transport()
    protocol = HttpProtocol(api.handle, Connections())
    protocol.connection_made(cast("Any", transport))
    protocol.data_received(request("/v1/batch", json.dumps(body).encode(), auth=False, keep=True))
    return transport


def statuses(transport: Transport) -> list[int]:
    return [answer.status for answer in split_answers(bytes(transport.written))]


class Running:
    """A server whose settings are a file, looked at when the test wants."""

    def __init__(self, path: Path, *destinations: str) -> None:
        self._path = path
        self._write(*destinations)
        store = FileStore(path)
        first = first_of(store)
        assert first is not None
        self.delivery = Delivered()
        self.api = TrackingApi(sources=first.sources(), delivery=cast("Any", self.delivery))
        self.failures = Count()
        self._watch = Watch(store, first, self.api.take, self.failures)

    def _write(self, *destinations: str) -> None:
        written = self._path.with_suffix(".new")
        written.write_text(toml(*destinations), encoding="utf-8")
        written.replace(self._path)

    async def change(self, *destinations: str) -> None:
        self._write(*destinations)
        await self._watch.look()

    def send(self, *calls: str) -> Transport:
        """Send a request with an event of each call."""
        return sent(self.api, {"writeKey": "wk", "batch": [TRACK | {"type": call} for call in calls]})

    def arrived(self, *calls: str) -> dict[str, list[tuple[str, str]]]:
        """Send a request; return type and partition key of each of its records, by stream."""
        self.delivery.given.clear()
        assert statuses(self.send(*calls)) == [200]
        [portions] = self.delivery.given
        return {
            target.stream_name: [(json.loads(data.data)["type"], data.partition_key) for data in portion]
            for target, portion in portions.items()
        }


async def test_changed_calls_and_partition_keys_are_in_force_for_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GAP_SECONDS", 0.0)
    running = Running(tmp_path / "sources.toml", 'stream_name = "one"')
    by_user = {"one": [("track", "u"), ("page", "u")]}
    assert running.arrived("track", "page") == by_user
    running.delivery.hold = []
    waiting = running.send("track", "page")
    held, running.delivery.hold = running.delivery.hold, None

    by_order = {"one": [("track", "7.5")]}
    await running.change(
        'stream_name = "one"\nevent_types = ["track"]\npartition_key = "properties.order_id"'
    )
    assert running.arrived("track", "page") == by_order
    assert statuses(running.send("page")) == [200]
    for wrong in (
        "event_types = []",
        'partition_key = "properties."',
        'partition_key = "userId"\nuse_message_id = true',
    ):
        await running.change(f'stream_name = "one"\n{wrong}')
        assert running.arrived("track", "page") == by_order
    assert running.failures.value == 3

    await running.change(
        'stream_name = "one"\nuse_message_id = true', 'stream_name = "two"\nevent_types = ["page", "alias"]'
    )
    by_message = {"one": [("track", "m"), ("page", "m")], "two": [("page", "u")]}
    assert running.arrived("track", "page") == by_message
    await running.change('stream_name = "one"\npartition_key = "userId || anonymousId"')
    assert running.arrived("track", "page") == by_user

    assert statuses(waiting) == []
    for settle in held:
        settle(Outcome())
    assert statuses(waiting) == [200]


async def test_sources_that_share_a_stream_each_keep_the_order_of_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    both, identifies = 'stream_name = "both"', 'stream_name = "identifies"\nevent_types = ["identify"]'
    sources = read_toml(
        toml(both, source="web", write_key="web") + toml(both, identifies, source="app", write_key="app"),
        where="t",
    )
    with FakeKinesis(streams={"both": 2, "identifies": 1}) as kinesis:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", kinesis.url)
        kinesis.faults.add(FailRecords(code="InternalFailure", probability=0.1))
        session = botocore.session.get_session()
        wire = KinesisWire(session)
        delivery = Delivery(wire, CredentialsCache(session), settings=DeliverySettings())
        api = TrackingApi(sources=sources, delivery=delivery)

        async def client(write_key: str, user: str) -> None:
            for number in range(15):
                event = {"userId": user, "messageId": f"{write_key}-{user}-{number}", "event": "e"}
                event |= {"type": "identify" if number % 3 == 0 else "track"}
                transport = sent(api, {"writeKey": write_key, "batch": [event]})
                async with asyncio.timeout(20):
                    while not transport.written:
                        await asyncio.sleep(0.002)
                assert statuses(transport) == [200]

        await asyncio.gather(*(client(key, user) for key in ("web", "app") for user in ("u1", "u2", "u3")))
        assert len(api.targets) == 3
        await delivery.close()
        await wire.close()
        orders: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        shards: dict[str, set[str]] = defaultdict(set)
        for stream in ("both", "identifies"):
            for record in kinesis.ledger.records(stream):
                key, user, number = (record.message_id or "").split("-")
                assert (record.partition_key, json.loads(record.data)["projectId"]) == (user, key)
                orders[stream, key, user].append(int(number))
                if stream == "both":
                    shards[user].add(record.shard_id)
    assert dict(orders) == {
        **{("both", key, user): list(range(15)) for key in ("web", "app") for user in ("u1", "u2", "u3")},
        **{("identifies", "app", user): list(range(0, 15, 3)) for user in ("u1", "u2", "u3")},
    }
    assert all(len(each) == 1 for each in shards.values())
