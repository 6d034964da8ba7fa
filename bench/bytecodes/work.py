"""What is counted: requests through protocol, API and delivery; records through delivery alone."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, NamedTuple, cast

import cbor2

from bench.bytecodes.counting import Bytecodes, counting
from bench.delivery.records import records
from bench.ingest.requests import EVENTS, WRITE_KEY, event
from headgate.delivery.delivery import Delivery
from headgate.delivery.lanes import SLOTS
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Route
from headgate.delivery.wire.faults import Fault
from headgate.delivery.wire.forms import CBOR, not_understood
from headgate.delivery.wire.messages import Answer, WireRecord
from headgate.ingest.connections import Connections
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Destination, Source
from tests.virtual_time import run

CONNECTIONS = 64
SHARDS = 8
WARM_UP, ROUNDS = 10, 1
"""Rounds in which every connection sends a request and gets its answer: not counted, and counted."""
BETWEEN_REQUESTS = timedelta(microseconds=50)

Round = Callable[[], None]
"""Sends a request on every connection; returns before there is any answer."""


class Counted(NamedTuple):
    """What so many events cost."""

    events: int
    bytecodes: Bytecodes

    @property
    def per_event(self) -> float:
        return self.bytecodes.run.total() / self.events


class Kinesis:
    """In the place of the wire: bodies are made and read, but not signed and not sent."""

    async def put_records(
        self, route: Route, _credentials: object, sent: Sequence[WireRecord]
    ) -> Answer | Fault:
        await asyncio.sleep(0.002)
        CBOR.put_records(route.stream_name, sent)
        slots = [cast("Any", record).slot for record in sent]
        entries = [
            {"SequenceNumber": "49", "ShardId": f"shardId-{slot * SHARDS // SLOTS:012}"} for slot in slots
        ]
        answer = cbor2.dumps({"FailedRecordCount": 0, "Records": entries})
        return CBOR.read_put_records(answer, len(sent)) or not_understood(200)

    def spoken(self, _route: Route) -> tuple[None, str]:
        return None, "cbor"


class Credentials:
    """None are asked for."""

    async def get(self, _grant: object) -> None: ...

    def age(self, _grant: object) -> float:
        return 0.0


class Transport:
    """The client's end of a connection."""

    def __init__(self) -> None:
        self.answers = 0

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 1) if name == "peername" else None

    def write(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 200 OK"), data
        self.answers += 1


def single_events() -> Counted:
    """Requests of one event each."""
    return run(_requests("/v1/track", (event(number) for number in count()), 1))


def batches() -> Counted:
    """Requests of 50 events each."""
    starts = count(0, EVENTS)
    bodies = ({"batch": [event(at + n) for n in range(EVENTS)], "writeKey": WRITE_KEY} for at in starts)
    return run(_requests("/v1/batch", bodies, EVENTS))


def delivery_alone() -> Counted:
    """Records as `bench.delivery` submits them: 50 at once."""
    return run(_records())


async def _requests(path: str, bodies: Iterator[Any], events: int) -> Counted:
    source = Source(id="bench", write_keys=(WRITE_KEY,), destinations=(Destination(stream_name="events"),))
    delivery = _delivery()
    times = (datetime(2026, 11, 20, 10, 0, 2, tzinfo=UTC) + number * BETWEEN_REQUESTS for number in count())
    api = TrackingApi(sources={WRITE_KEY: source}, delivery=delivery, now=times.__next__)
    connections = Connections()
    transports = [Transport() for _ in range(CONNECTIONS)]
    protocols = [HttpProtocol(api.handle, connections) for _ in transports]
    for protocol, transport in zip(protocols, transports, strict=True):
        protocol.connection_made(cast("Any", transport))
    requests = [_request(path, body) for body in islice(bodies, CONNECTIONS)]

    def send() -> None:
        for protocol, request in zip(protocols, requests, strict=True):
            protocol.data_received(request)

    counted = await _counted(delivery, send, CONNECTIONS * events)
    assert all(transport.answers == WARM_UP + ROUNDS for transport in transports)
    return counted


async def _records() -> Counted:
    delivery = _delivery()
    target = Target("bench", "us-west-2", "events", None, "bench")
    data = [Data(key, data, number) for number, (key, data) in enumerate(records(CONNECTIONS * EVENTS))]
    requests = [{target: data[at : at + EVENTS]} for at in range(0, len(data), EVENTS)]
    settled: list[Outcome] = []

    def send() -> None:
        for request in requests:
            delivery.submit(request, settled.append)

    counted = await _counted(delivery, send, len(data))
    assert settled == [Outcome()] * len(requests) * (WARM_UP + ROUNDS)
    return counted


async def _counted(delivery: Delivery, send: Round, events: int) -> Counted:
    for _ in range(WARM_UP):
        send()
        await delivery.settle_all()
    with counting() as bytecodes:
        for _ in range(ROUNDS):
            send()
            await delivery.settle_all()
    await delivery.close()
    return Counted(events * ROUNDS, bytecodes)


def _delivery() -> Delivery:
    return Delivery(cast("Any", Kinesis()), cast("Any", Credentials()))


def _request(path: str, body: Any) -> bytes:
    """Return a request as wrk sends it in `bench.serve`."""
    text = json.dumps(body, separators=(",", ":")).encode()
    authorization = b64encode(f"{WRITE_KEY}:".encode()).decode()
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1:8080",
        "Content-Type: application/json",
        f"Authorization: Basic {authorization}",
        f"Content-Length: {len(text)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + text
