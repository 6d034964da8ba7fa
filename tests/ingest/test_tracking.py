"""The HTTP side over a real socket, with a delivery that says what the test wants."""

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.ingest.protocol import MAX_BODY_BYTES, HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Destination, Source

SOURCE = Source(
    id="src",
    write_keys=("wk",),
    destinations=(Destination(stream_name="one"), Destination(stream_name="two", use_message_id=True)),
)
OFF = Source(id="off", write_keys=("wk_off",), enabled=False, destinations=(Destination(stream_name="x"),))
SLOW = Source(id="slow", write_keys=("wk_slow",), max_events_per_second=1, destinations=SOURCE.destinations)
TRACK = {"userId": "u", "event": "e", "messageId": "m"}
AUTHORIZATION = "Authorization: Basic " + b64encode(b"wk:").decode()


class Delivery:
    """Keeps what it is given, and settles it with `outcome` at once, or later where `hold` is set."""

    def __init__(self) -> None:
        self.given: list[Mapping[Target, Sequence[Data]]] = []
        self.outcome = Outcome()
        self.refusal: Refusal | None = None
        self.hold: list[Callable[[Outcome], None]] | None = None

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.given.append(portions)
        if self.hold is None:
            on_settled(self.outcome)
        else:
            self.hold.append(on_settled)


class Client:
    def __init__(self, port: int, delivery: Delivery, api: TrackingApi) -> None:
        self.port, self.delivery, self.api = port, delivery, api

    async def raw(self, data: bytes, *, split: int = 0) -> bytes:
        """Send bytes, in pieces of `split` where it is given, and read until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for at in range(0, len(data), split or len(data)):
            writer.write(data[at : at + (split or len(data))])
            await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    async def ask(
        self,
        path: str,
        body: bytes = b"",
        *headers: str,
        method: str = "POST",
        auth: bool = True,
        split: int = 0,
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        lines = [f"{method} {path} HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [*([AUTHORIZATION] if auth else []), *headers]
        answer = await self.raw("\r\n".join([*lines, "", ""]).encode() + body, split=split)
        return parse(answer)


def parse(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), json.loads(body)


@asynccontextmanager
async def serving() -> AsyncIterator[Client]:
    delivery = Delivery()
    sources = {key: source for source in (SOURCE, OFF, SLOW) for key in source.write_keys}
    api = TrackingApi(sources=sources, delivery=cast("Any", delivery))
    connections: set[HttpProtocol] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpProtocol(api.handle, connections, lambda: api.draining), "127.0.0.1", 0
    )
    try:
        yield Client(server.sockets[0].getsockname()[1], delivery, api)
    finally:
        server.close()
        for connection in list(connections):
            connection.close()


async def test_an_event_goes_to_every_destination_under_its_own_partition_key() -> None:
    async with serving() as client:
        status, _, answer = await client.ask("/v1/track", json.dumps(TRACK).encode())
        assert (status, answer) == (200, {"success": True})
        [portions] = client.delivery.given
        assert {target.stream_name: [d.partition_key for d in data] for target, data in portions.items()} == {
            "one": ["u"],
            "two": ["m"],
        }


@pytest.mark.parametrize("split", [0, 1, 7])
@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_may_come_in_pieces_and_compressed(split: int, compressed: bool) -> None:
    body = json.dumps({"batch": [{**TRACK, "type": "track"}] * 3}).encode()
    async with serving() as client:
        headers = ["Content-Encoding: gzip"] if compressed else []
        sent = gzip.compress(body) if compressed else body
        status, _, _ = await client.ask("/v1/batch", sent, *headers, split=split)
        assert status == 200
        assert [len(data) for data in client.delivery.given[0].values()] == [3, 3]


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Basic " + b64encode(b"wk:").decode(),
        "Authorization: Basic " + b64encode(b"wk").decode(),
        "authorization: basic " + b64encode(b"wk:password").decode(),
        "Authorization: Bearer some.token",
        "Authorization: Basic !!!",
        "X-Nothing: 1",
    ],
)
async def test_the_write_key_is_found_wherever_sdks_put_it(header: str) -> None:
    in_body = {} if "asic" in header and "!!!" not in header else {"writeKey": "wk"}
    async with serving() as client:
        status, _, _ = await client.ask("/v1/track", json.dumps(TRACK | in_body).encode(), header, auth=False)
        assert status == 200
        assert b"writeKey" not in next(iter(client.delivery.given[0].values()))[0].data


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("/v1/track", b"{", (), 400, "bad_request"),
        ("/v1/track", b'{"userId":"u"}', (), 400, "event_not_defined"),
        ("/v1/track", b"x" * (MAX_BODY_BYTES + 1), (), 413, "too_large"),
        ("/v1/track", gzip.compress(b" " * 5_000_000), ("Content-Encoding: gzip",), 413, "too_large"),
        ("/v1/track", b"no gzip", ("Content-Encoding: gzip",), 400, "bad_request"),
        ("/v1/track", gzip.compress(b"{}")[:-9], ("Content-Encoding: gzip",), 400, "bad_request"),
        ("/v1/track", b"{}", ("Content-Encoding: br",), 400, "bad_request"),
        ("/v1/track", b"{}", ("X: " + "y" * 40_000,), 431, "too_large"),
        ("/v1/batch", b'{"batch":[]}', (), 400, "bad_request"),
        ("/v1/batch", b'{"batch":[' + b",".join([b"{}"] * 2_501) + b"]}", (), 413, "too_large"),
        ("/nothing", b"{}", (), 404, "not_found"),
    ],
)
async def test_a_bad_request_says_what_is_wrong(
    path: str, body: bytes, headers: tuple[str, ...], status: int, code: str
) -> None:
    async with serving() as client:
        got, _, answer = await client.ask(path, body, *headers)
        assert (got, answer["success"], answer["code"]) == (status, False, code)
        assert answer["message"]
        assert (await client.ask("/v1/track", json.dumps(TRACK).encode()))[0] == 200


async def test_an_unknown_key_is_401_another_method_405_and_a_disabled_source_takes_all() -> None:
    body = json.dumps(TRACK).encode()
    async with serving() as client:
        assert (await client.ask("/v1/track", body, auth=False))[0] == 401
        assert (await client.ask("/v1/track", method="GET"))[0] == 405
        off = json.dumps(TRACK | {"writeKey": "wk_off"}).encode()
        assert (await client.ask("/v1/track", off, auth=False))[0] == 200
        assert client.delivery.given == []


async def test_bad_events_of_a_batch_are_named_and_the_good_ones_delivered() -> None:
    events = [
        {**TRACK, "type": "track"},
        {"type": "track"},
        {"type": "page", "userId": "u", "x": "y" * 33_000},
        3,
    ]
    async with serving() as client:
        status, _, answer = await client.ask("/v1/batch", json.dumps({"batch": events}).encode())
        assert status == 200
        assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
            (1, "no_user_anon_id"),
            (2, "too_large"),
            (3, "bad_request"),
        ]
        assert [data.number for data in next(iter(client.delivery.given[0].values()))] == [0]


async def test_what_delivery_says_decides_the_answer() -> None:
    body = json.dumps(TRACK).encode()
    async with serving() as client:
        client.delivery.outcome = Outcome(unavailable=Refusal("deadline", "too late", 5))
        status, headers, answer = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"], answer["code"]) == (503, "5", "deadline")
        client.delivery.outcome = Outcome(undeliverable={0: Refusal("undeliverable", "never")})
        status, _, answer = await client.ask("/v1/track", body)
        assert (status, answer["code"], answer["rejected"][0]["index"]) == (400, "undeliverable", 0)
        client.delivery.refusal = Refusal("destination_full", "wait", 900)
        status, headers, _ = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"]) == (429, "300")


async def test_a_source_above_its_rate_is_asked_to_wait() -> None:
    body = json.dumps(TRACK | {"writeKey": "wk_slow"}).encode()
    async with serving() as client:
        assert (await client.ask("/v1/track", body, auth=False))[0] == 200
        status, headers, answer = await client.ask("/v1/track", body, auth=False)
        assert (status, headers["Retry-After"], answer["code"]) == (429, "1", "too_many_events")


async def test_answers_leave_in_the_order_of_their_requests() -> None:
    async with serving() as client:
        client.delivery.hold = []
        body = json.dumps(TRACK).encode()
        track = (
            f"POST /v1/track HTTP/1.1\r\nHost: h\r\n{AUTHORIZATION}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        health = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        asked = asyncio.create_task(client.raw(track.encode() + body + health.encode()))
        async with asyncio.timeout(10):
            while not client.delivery.hold:  # the socket decides when
                await asyncio.sleep(0.001)
        client.delivery.hold.pop()(Outcome())
        answers = await asked
        assert answers.index(b'"success": true') < answers.index(b'"status": "ok"')


async def test_thousands_of_pipelined_requests_are_each_answered() -> None:
    health = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    last = health.replace("Host: h", "Host: h\r\nConnection: close")
    async with serving() as client:
        answers = await client.raw((health * 3_000 + last).encode())
        assert answers.count(b'"status": "ok"') == 3_001


async def test_draining_closes_connections_and_fails_the_health_check() -> None:
    async with serving() as client:
        assert (await client.ask("/healthz", method="GET"))[0] == 200
        client.api.draining = True
        status, headers, _ = await client.ask("/healthz", method="GET")
        assert (status, headers["Connection"]) == (503, "close")


async def test_what_is_no_http_gets_its_400_and_the_next_connection_works() -> None:
    async with serving() as client:
        assert parse(await client.raw(b"\x16\x03\x01 hello\r\n\r\n"))[0] == 400
        both = "POST /v1/track HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert parse(await client.raw(both.encode()))[0] == 400
        assert (await client.ask("/v1/track", json.dumps(TRACK).encode()))[0] == 200
