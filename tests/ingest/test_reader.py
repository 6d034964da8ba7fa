"""What is HTTP and what is not: framing, smuggling, bounds, and what a client may leave out."""

import pytest

from headgate.ingest.limits import HttpLimits
from tests.ingest.serving import AUTHORIZATION, request
from tests.ingest.wire import Wire, cut

BODY = b'{"userId":"u","event":"e","messageId":"m"}'
HEAD = f"POST /v1/track HTTP/1.1\r\nHost: h\r\n{AUTHORIZATION}\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)

NOT_HTTP = {
    "a length beside a transfer coding": HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNKS,
    "a transfer coding beside a length": HEAD + CHUNKED + LENGTH + b"\r\n" + CHUNKS,
    "two lengths that differ": HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "two lengths alike": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": HEAD + b"Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": HEAD + b"Content-Length: 0x3\r\n\r\nabc",
    "an empty length": HEAD + b"Content-Length: \r\n\r\nabc",
    "a length beyond any number": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a chunk size that is none": HEAD + CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a prefix": HEAD + CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond any number": HEAD + CHUNKED + b"\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a chunk size that ends in LF": HEAD + CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
    "a chunk extension that ends in LF": HEAD + CHUNKED + b"\r\n3;a\nabc\r\n0\r\n\r\n",
    "a chunk longer than its size": HEAD + CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n",
    "a chunk that ends in LF": HEAD + CHUNKED + b"\r\n3\r\nabc\n0\r\n\r\n",
    "a folded line": HEAD + b"A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded first line": b"GET /healthz HTTP/1.1\r\n a: b\r\n\r\n",
    "whitespace before a colon": HEAD + b"Content-Length : 3\r\n\r\nabc",
    "bare LF everywhere": b"GET /healthz HTTP/1.1\nHost: h\n\n",
    "bare LF after one header": HEAD + b"A: b\n" + LENGTH + b"\r\n" + BODY,
    "bare LF at the end of the head": HEAD + LENGTH + b"\n" + BODY,
    "bare CR in a header": HEAD + b"A: b\rc\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a header's value": HEAD + b"A: b\0c\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a header's name": HEAD + b"A\0: b\r\n" + LENGTH + b"\r\n" + BODY,
    "another transfer coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + CHUNKS,
    "another transfer coding before chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "another transfer coding after chunked": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "chunked twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + CHUNKS,
    "what only looks like chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked in HTTP/1.0": HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED + b"\r\n" + CHUNKS,
    "chunked in HTTP/1.0 that is kept alive": HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")
    + CHUNKED
    + b"Connection: keep-alive\r\n\r\n"
    + CHUNKS,
    "a target with a fragment": b"GET /healthz#a HTTP/1.1\r\nHost: h\r\n\r\n",
    "a target with a space": b"GET /health z HTTP/1.1\r\nHost: h\r\n\r\n",
    "a target without a slash": b"GET healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2 by name": b"GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n",
    "HTTP/2 that is kept alive": b"GET /healthz HTTP/2.0\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "a version of its own": b"GET /healthz HTTP/1.2\r\nHost: h\r\n\r\n",
    "CONNECT": b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    "a method in lower case": b"post /v1/track HTTP/1.1\r\nHost: h\r\n\r\n",
    "a method of its own": b"BREW /v1/track HTTP/1.1\r\nHost: h\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
FOLLOWER = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"


@pytest.mark.parametrize("name", NOT_HTTP)
@pytest.mark.parametrize("split", [False, True])
def test_what_is_no_http_is_answered_once_and_the_connection_ends(name: str, split: bool) -> None:
    sent = NOT_HTTP[name] + FOLLOWER
    wire = Wire().send(*(cut(sent, range(len(sent))) if split else [sent]))
    [answer] = wire.answers
    assert 400 <= answer.status < 500
    assert answer.body["success"] is False
    assert answer.headers["Connection"] == "close"
    assert wire.transport.over
    assert wire.delivery.given == []


def test_a_method_that_is_none_is_told_which_there_are() -> None:
    for sent in (NOT_HTTP["a method of its own"], NOT_HTTP["CONNECT"]):
        [answer] = Wire().send(sent).answers
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")


GOOD = {
    "a length": HEAD + LENGTH + b"\r\n" + BODY,
    "chunks": HEAD + CHUNKED + b"\r\n" + CHUNKS,
    "chunked in capitals": HEAD + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS,
    "chunks with extensions": HEAD + CHUNKED + b"\r\n%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunks with a trailer": HEAD
    + CHUNKED
    + b"\r\n"
    + CHUNKS[:-2]
    + b"Authorization: Basic eHg6\r\nContent-Encoding: gzip\r\nOrigin: https://a.example\r\n\r\n",
    "empty lines before": b"\r\n\r\n" + HEAD + LENGTH + b"\r\n" + BODY,
    "a whole URL": HEAD.replace(b"/v1", b"http://any.example:80/v1") + LENGTH + b"\r\n" + BODY,
    "no Host": HEAD.replace(b"Host: h\r\n", b"") + LENGTH + b"\r\n" + BODY,
    "a query": HEAD.replace(b"/track", b"/track?a=b") + LENGTH + b"\r\n" + BODY,
    "an offer of HTTP/2, as of Java's client": HEAD
    + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "an offer of HTTP/2 with chunks": HEAD
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    + CHUNKED
    + b"\r\n"
    + CHUNKS,
    "an upgrade that is not asked for": HEAD + b"Upgrade: websocket\r\n" + LENGTH + b"\r\n" + BODY,
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("split", [False, True])
def test_what_clients_may_send_is_taken_and_the_connection_goes_on(name: str, split: bool) -> None:
    sent = GOOD[name] * 2 + FOLLOWER
    wire = Wire().send(*(cut(sent, range(len(sent))) if split else [sent]))
    assert [answer.status for answer in wire.answers] == [200, 200, 200], wire.answers
    assert len(wire.delivery.given) == 2
    assert not wire.transport.over
    assert wire.connections.held_bytes == 0


UPGRADE = b"Connection: %bUpgrade\r\nUpgrade: h2c\r\n"


def test_an_offer_changes_neither_where_a_body_ends_nor_how_long_a_connection_lasts() -> None:
    for length in (b"0", b"00"):
        offer = HEAD + UPGRADE % b"" + b"Content-Length: " + length + b"\r\n\r\n"
        assert [answer.status for answer in Wire().send(offer + FOLLOWER).answers] == [400, 200]
    closing = HEAD + UPGRADE % b"close, " + LENGTH + b"\r\n" + BODY
    wire = Wire().send(closing + FOLLOWER)
    assert [(answer.status, answer.headers["Connection"]) for answer in wire.answers] == [(200, "close")]
    wire = Wire().send(b"GET /healthz HTTP/1.1\r\n" + UPGRADE % b"close, " + b"\r\n" + FOLLOWER)
    assert [(answer.status, answer.headers["Connection"]) for answer in wire.answers] == [(200, "close")]


def test_a_thousand_offers_of_another_protocol_are_each_answered() -> None:
    offer = b"GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert len(Wire().send(offer * 3_000).answers) == 3_000


CHUNK = b"10000\r\n" + b" " * 65_536 + b"\r\n"
TOO_LARGE = {
    "a path": (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 431),
    "a header": (b"GET /healthz HTTP/1.1\r\nA: " + b"b" * 40_000 + b"\r\n\r\n", 431),
    "headers": (b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 129 + b"\r\n", 431),
    "trailers": (HEAD + CHUNKED + b"\r\n0\r\n" + b"A: b\r\n" * 129 + b"\r\n", 431),
    "a body by its length": (HEAD + b"Content-Length: 513025\r\n\r\n", 413),
    "a body by its chunks": (HEAD + CHUNKED + b"\r\n" + CHUNK * 8, 413),
}


@pytest.mark.parametrize("name", TOO_LARGE)
@pytest.mark.parametrize("size", [1_000_000, 1_000])
def test_nothing_grows_without_bound(name: str, size: int) -> None:
    sent, status = TOO_LARGE[name]
    wire = Wire().send(*(sent[at : at + size] for at in range(0, len(sent), size)))
    assert [answer.status for answer in wire.answers] == [status]
    assert wire.transport.over
    assert wire.connections.held_bytes == 0


def test_a_header_that_never_ends_is_given_up() -> None:
    wire = Wire().send(b"GET /healthz HTTP/1.1\r\n", *[b"a" * 1_000] * 70)
    assert [answer.status for answer in wire.answers] == [431]
    assert wire.transport.over


def test_many_bodies_at_once_are_bounded_and_what_is_above_is_to_come_again() -> None:
    wire = Wire(HttpLimits(held_bytes=1_000))
    wire.connections.held_bytes = 990
    [answer] = wire.send(request("/v1/track", BODY, keep=True)).answers
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "busy", "1")
    assert wire.connections.held_bytes == 990


def test_a_client_that_waits_for_a_word_is_told_to_go_on() -> None:
    wire = Wire().send(HEAD + LENGTH + b"Expect: 100-continue\r\n\r\n")
    assert wire.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [answer.status for answer in wire.send(BODY).answers] == [200]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    [answer] = Wire().send(HEAD + b"Content-Length: 600000\r\nExpect: 100-continue\r\n\r\n").answers
    assert answer.status == 413


def test_an_expectation_that_nobody_knows_is_ignored() -> None:
    wire = Wire().send(HEAD + LENGTH + b"Expect: the-unexpected\r\n\r\n" + BODY)
    assert [answer.status for answer in wire.answers] == [200]
