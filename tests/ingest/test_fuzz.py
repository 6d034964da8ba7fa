"""Whatever is sent, and however it is cut: an answer or an end, never a 500, never an event changed."""

import gzip
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.ingest.compression import TooLarge, Undecodable, decoded
from tests.acceptance.soak import SOAK
from tests.ingest.serving import AUTHORIZATION
from tests.ingest.test_paths import SINGLE
from tests.ingest.test_reader import GOOD, NOT_HTTP
from tests.ingest.wire import Wire, cut

ALLOWED_STATUSES = {200, 400, 401, 404, 405, 408, 413, 431}
STAMPED = {
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "projectId",
    "type",
    "context",
    "writeKey",
    "version",
    "channel",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {"userId": texts.filter(bool), "event": texts.filter(bool), "messageId": st.uuids().map(str)},
    optional={
        "properties": st.dictionaries(texts, values, max_size=4),
        "x": values,
        "anonymousId": texts | st.none(),
    },
)


@dataclass(frozen=True)
class Sent:
    events: list[dict[str, Any]]
    data: bytes


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """One valid request: a single call or a batch, in one of the forms that SDKs send."""
    space = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")]))
    if draw(st.booleans()):
        sent = [draw(events)]
        path, members = "/v1/" + draw(st.sampled_from(["track", "t"])), sent[0]
    else:
        sent = draw(st.lists(events, min_size=1, max_size=4))
        path, members = "/v1/batch", {"batch": [{**event, "type": "track"} for event in sent]}
    in_body = draw(st.booleans())
    members = {**members, "writeKey": "wk"} if in_body else members
    body = json.dumps(members, separators=space, ensure_ascii=draw(st.booleans())).encode()
    headers = [] if in_body else [AUTHORIZATION]
    if draw(st.booleans()):
        body = gzip.compress(body, mtime=0)
        headers.append("Content-Encoding: gzip")
    if draw(st.booleans()):
        sizes = draw(st.lists(st.integers(1, 60), max_size=6))
        pieces = [piece for piece in cut(body, [sum(sizes[:n]) for n in range(len(sizes))]) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        headers.append("Transfer-Encoding: chunked")
    else:
        headers.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([f"POST {path}{draw(st.sampled_from(['', '/']))} HTTP/1.1", *headers, "", ""])
    return Sent(sent, head.encode() + body)


places = st.lists(st.integers(0, 1 << 20), max_size=12)
FRAGMENTS = [
    *NOT_HTTP.values(),
    *GOOD.values(),
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b": ",
        b"0\r\n\r\n",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"Content-Length: 5\r\n",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    ),
    *(
        b"Expect: 100-continue\r\n",
        b"Content-Encoding: gzip\r\n",
        b"GET /v1/pixel/track?userId=",
        b"OPTIONS * ",
    ),
    *(
        b'{"batch":',
        b"[" * 2_000,
        b'{"a":' * 2_000,
        b'"\\ud800"',
        b"1e999",
        b"-",
        b'"userId":5,',
        b"\x1f\x8b\x08",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A few requests, damaged: pieces left out, doubled, overwritten or put in."""
    data = bytearray(b"".join(one.data for one in draw(st.lists(requests(), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 12)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            del data[begin:end]
        elif kind == 1:
            data[begin:begin] = data[begin:end]
        elif kind == 2:
            data[begin:end] = draw(st.binary(max_size=4))
        else:
            data[begin:end] = draw(st.sampled_from(FRAGMENTS))
    return bytes(data)


def delivered(wire: Wire) -> list[bytes]:
    """What every destination got, in its order."""
    got: dict[str, list[bytes]] = {"one": [], "two": []}
    for portions in wire.delivery.given:
        for target, many in portions.items():
            got[target.stream_name] += [data.data for data in many]
    assert got["one"] == got["two"]
    return got["one"]


def client_sent(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in STAMPED}


def check_what_was_sent_is_delivered(sent: list[Sent], where: list[int]) -> None:
    wire = Wire().send(*cut(b"".join(one.data for one in sent), where))
    assert [(answer.status, answer.body) for answer in wire.answers] == [(200, {"success": True})] * len(sent)
    got = [client_sent(json.loads(data)) for data in delivered(wire)]
    assert got == [client_sent(event) for one in sent for event in one.events]
    assert wire.connections.held_bytes == 0


def check_what_was_damaged_is_answered_or_ended(data: bytes, where: list[int]) -> None:
    whole, in_pieces = Wire().send(data), Wire().send(*cut(data, where))
    assert in_pieces.transport.written == whole.transport.written
    assert delivered(in_pieces) == delivered(whole)
    for wire in (whole, in_pieces):
        wire.after(31).after(6)
        # Answered, or between two requests; a quiet connection ends in its time too.
        assert wire.transport.over or not wire.protocol._reader.reading
        assert wire.after(80).transport.closed
        assert {answer.status for answer in wire.answers} <= ALLOWED_STATUSES
        assert wire.connections.held_bytes == 0


FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=20_000 if SOAK else 1_000)
BODIES = st.binary(max_size=60) | mutated() | values.map(lambda value: json.dumps(value).encode())
LINES = [
    b"",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: br\r\n",
    b"Origin: null\r\n",
    b"Authorization: Basic =\r\n",
]


def check_any_body_is_answered(body: bytes, path: str, header: bytes) -> None:
    head = f"POST /v1/{path} HTTP/1.1\r\n{AUTHORIZATION}\r\nContent-Length: {len(body)}\r\n".encode()
    wire = Wire().send(head + header + b"\r\n" + body)
    [answer] = wire.answers
    assert answer.status in ALLOWED_STATUSES
    assert not wire.transport.over


@FEW
@given(st.lists(requests(), min_size=1, max_size=3), places)
def test_what_is_acknowledged_is_delivered_as_it_was_sent(sent: list[Sent], where: list[int]) -> None:
    check_what_was_sent_is_delivered(sent, where)


@FEW
@given(mutated(), places)
def test_what_is_damaged_gets_the_same_answers_however_it_is_cut(data: bytes, where: list[int]) -> None:
    check_what_was_damaged_is_answered_or_ended(data, where)


@FEW
@given(BODIES, st.sampled_from([*SINGLE, "batch", "m"]), st.sampled_from(LINES))
def test_any_body_is_answered_and_the_connection_goes_on(body: bytes, path: str, header: bytes) -> None:
    check_any_body_is_answered(body, path, header)


@FEW
@given(st.binary(max_size=200), st.integers(0, 300))
def test_gzip_is_what_pythons_own_reader_makes_of_it_or_is_refused(body: bytes, limit: int) -> None:
    for text in (
        body,
        gzip.compress(body),
        gzip.compress(body) + gzip.compress(body),
        gzip.compress(body) + body,
    ):
        try:
            expected: bytes | None = gzip.decompress(text)
        except (OSError, EOFError):
            expected = None
        try:
            made = decoded(text, b"gzip", limit)
        except TooLarge:
            assert expected is None or len(expected) > limit
        except Undecodable:
            assert not expected or body.strip(b"\0") == b""
        else:
            assert made == expected


@pytest.mark.slow
@MANY
@given(st.lists(requests(), min_size=1, max_size=3), places)
def test_what_is_acknowledged_is_delivered_as_it_was_sent_at_length(
    sent: list[Sent], where: list[int]
) -> None:
    check_what_was_sent_is_delivered(sent, where)


@pytest.mark.slow
@MANY
@given(mutated(), places)
def test_what_is_damaged_gets_the_same_answers_at_length(data: bytes, where: list[int]) -> None:
    check_what_was_damaged_is_answered_or_ended(data, where)


@pytest.mark.slow
@MANY
@given(BODIES, st.sampled_from([*SINGLE, "batch", "m"]), st.sampled_from(LINES))
def test_any_body_is_answered_at_length(body: bytes, path: str, header: bytes) -> None:
    check_any_body_is_answered(body, path, header)
