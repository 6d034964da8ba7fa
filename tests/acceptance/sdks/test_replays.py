"""What the SDKs that do not run here send, in exactly their form, over sockets of our own."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests.acceptance.sdks.arrivals import Sent, exactly, has, summary
from tests.acceptance.sdks.calls import CALLS, DOCUMENTED_URL, WRITE_KEY
from tests.acceptance.sdks.documented import blocks, check_row, rows
from tests.acceptance.sdks.replays import (
    android,
    csharp,
    go,
    ios,
    java,
    kotlin,
    php,
    pixel,
    react_native,
    ruby,
    swift,
)
from tests.acceptance.sdks.replays.form import Replay, compact
from tests.acceptance.sdks.site import Site

REPLAYS = [each.REPLAY for each in (kotlin, swift, react_native, android, ios, ruby, java, go, php, csharp)]


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 80), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    """Send a request; return the status and the body of its answer."""
    head, _, body = request.partition(b"\r\n\r\n")
    connection.sendall(head + b"\r\n\r\n")
    if b"\r\nExpect: 100-continue" in head:
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    response = HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def send(url: str, requests: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Send requests over one connection; return their answers."""
    with connected(url) as connection:
        return [answer(connection, each) for each in requests]


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: replay.sdk)
def test_each_call_arrives_as_it_was_sent(live: Site, since: datetime, replay: Replay) -> None:
    answers = send(live.url, replay.requests(urlsplit(live.url).netloc))
    assert {(status, json.loads(body)["success"]) for status, body in answers} == {(200, True)}

    sent = live.sent()
    events = live.check(sent, since=since)
    for type_ in replay.calls:
        [event] = [
            found
            for [found] in events.values()
            if found["type"] == type_ and found.get("event") in (None, "Order Completed")
        ]
        expected = CALLS[type_] | ({"userId": event["userId"]} if event["userId"] == "" else {})
        assert has(event, expected), event
    records = b"\n".join(record.data for record in live.kinesis.ledger.records())
    assert all(each in records for each in replay.verbatim)
    check_row(
        replay.sdk,
        replay.version,
        "a replay",
        replay.calls,
        replay.form,
        summary(sent, events),
    )


@pytest.mark.parametrize("replay", [each for each in REPLAYS if each.settings], ids=lambda replay: replay.sdk)
def test_settings_send_a_mobile_sdk_to_us(live: Site, replay: Replay) -> None:
    assert replay.settings is not None
    host = urlsplit(live.url).netloc
    [(status, body)] = send(live.url, [replay.settings(host)])
    assert status == 200
    integrations = json.loads(body)["integrations"]
    assert list(integrations) == ["Segment.io"]
    assert integrations["Segment.io"]["apiKey"] == WRITE_KEY
    assert integrations["Segment.io"]["apiHost"] == f"{host}/v1"


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: replay.sdk)
def test_the_document_points_it_at_where_the_replay_sends(replay: Replay) -> None:
    code = "\n".join(blocks(replay.section))
    host = urlsplit(DOCUMENTED_URL).netloc
    for line in replay.points_at:
        assert line in code
        assert host in line or "://" not in line
    assert WRITE_KEY in code
    # An SDK is told either its host, and knows the version itself, or both.
    assert all(each.split()[1].startswith(b"/v1/") for each in replay.requests(host))


def test_a_pixel_brings_one_call_and_always_gets_its_image(live: Site, since: datetime) -> None:
    answers = send(live.url, pixel.requests(urlsplit(live.url).netloc))
    assert [(status, body[:6], len(body)) for status, body in answers] == [(200, b"GIF89a", 43)] * 2

    live.wait_for(2)
    sent = [
        Sent(exactly(compact(event | {"type": "track"}).encode()), exactly(b"{}"), client_side=True)
        for event in (pixel.IN_BASE64, pixel.OF_PARAMETERS)
    ]
    events = live.check(sent, since=since)
    check_row("Pixel", "-", "a replay", ["track"], "as Base64, and as parameters", summary(sent, events))


def test_the_table_has_no_row_that_no_test_writes() -> None:
    ours = {"segment-analytics-python", "segment-analytics-python, gzip", "@segment/analytics-node", "Pixel"}
    ours |= {f"@segment/analytics-next, {how}" for how in ("single", "batched", "batched, page left")}
    assert rows().keys() == ours | {replay.sdk for replay in REPLAYS}
