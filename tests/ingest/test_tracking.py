"""From a request to records, and from their outcome to the answer."""

import asyncio
import gzip
import json
from base64 import b64encode

import pytest

from headgate.delivery.submission import Outcome, Refusal
from headgate.ingest.limits import HttpLimits
from tests.ingest.serving import AUTHORIZATION, TRACK, parse, serving

MAX_BODY_BYTES = HttpLimits.request_bytes


async def test_an_event_goes_to_every_destination_under_its_own_partition_key() -> None:
    async with serving() as client:
        status, _, answer, _ = await client.ask("/v1/track", json.dumps(TRACK).encode())
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
        status, *_ = await client.ask("/v1/batch", sent, *headers, split=split)
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
        status, *_ = await client.ask("/v1/track", json.dumps(TRACK | in_body).encode(), header, auth=False)
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
        got, _, answer, _ = await client.ask(path, body, *headers)
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
        status, _, answer, _ = await client.ask("/v1/batch", json.dumps({"batch": events}).encode())
        assert status == 200
        assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
            (1, "no_user_anon_id"),
            (2, "too_large"),
            (3, "bad_request"),
        ]
        assert [data.index for data in next(iter(client.delivery.given[0].values()))] == [0]


async def test_what_delivery_says_decides_the_answer() -> None:
    body = json.dumps(TRACK).encode()
    async with serving() as client:
        client.delivery.outcome = Outcome(unavailable=Refusal("deadline", "too late", 5))
        status, headers, answer, _ = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"], answer["code"]) == (503, "5", "deadline")
        client.delivery.outcome = Outcome(undeliverable={0: Refusal("undeliverable", "never")})
        status, _, answer, _ = await client.ask("/v1/track", body)
        assert (status, answer["code"], answer["rejected"][0]["index"]) == (400, "undeliverable", 0)
        client.delivery.refusal = Refusal("destination_full", "wait", 900)
        status, headers, *_ = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"]) == (429, "300")


async def test_a_source_above_its_rate_is_asked_to_wait() -> None:
    body = json.dumps(TRACK | {"writeKey": "wk_slow"}).encode()
    async with serving() as client:
        assert (await client.ask("/v1/track", body, auth=False))[0] == 200
        status, headers, answer, _ = await client.ask("/v1/track", body, auth=False)
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
        status, headers, *_ = await client.ask("/healthz", method="GET")
        assert (status, headers["Connection"]) == (503, "close")


async def test_what_is_no_http_gets_its_4xx_and_the_next_connection_works() -> None:
    async with serving() as client:
        assert parse(await client.raw(b"\x16\x03\x01 hello\r\n\r\n"))[0] == 405
        both = "POST /v1/track HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert parse(await client.raw(both.encode()))[0] == 400
        assert (await client.ask("/v1/track", json.dumps(TRACK).encode()))[0] == 200
