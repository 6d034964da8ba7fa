"""A head that comes again is not read again, and whatever comes is taken as if it had been."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.ingest.connections import Connections
from headgate.ingest.limits import HttpLimits
from headgate.ingest.reader import RequestReader
from headgate.ingest.requests import Request
from headgate.ingest.same_head import SameHead, same_head

LIMITS = HttpLimits(request_bytes=1_024)
HEAD = (
    b"POST /v1/track HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eA==\r\n%bOrigin: https://a.example\r\n\r\n"
)
LENGTH = b"Content-Length: %d\r\n"


def whole(body: bytes, head: bytes = HEAD, length: bytes = LENGTH) -> bytes:
    return head % (length % len(body)) + body


@dataclass
class Reader:
    """One connection's reader, and what it handed on."""

    connections: Connections
    taken: list[dict[str, Any]]
    reader: RequestReader

    @classmethod
    def new(cls) -> "Reader":
        connections, taken = Connections(LIMITS, now=0.0), list[dict[str, Any]]()

        def take(request: Request) -> None:
            connections.held_bytes -= request.held
            headers = {name: value for name, value in request.headers.items() if name != b"content-length"}
            fault = request.fault.status if request.fault is not None else None
            taken.append(
                {name: getattr(request, name) for name in ("peer", "method", "target", "body", "keep_alive")}
                | {"headers": headers, "fault": fault, "held": request.held}
            )

        return cls(connections, taken, RequestReader(connections, "203.0.113.7", take, lambda: None))


def as_each_alone(requests: list[bytes]) -> list[dict[str, Any]]:
    """What readers that have seen nothing before hand on, until one ends its connection."""
    found = list[dict[str, Any]]()
    for data in requests:
        fresh = Reader.new()
        fresh.reader.feed(data)
        found += fresh.taken
        if fresh.reader.ended or fresh.reader.reading:
            break
    return found


VARIED = [
    whole(b"{}"),
    whole(b"{" + b" " * 200 + b"}"),
    whole(b"x" * 1_025),  # larger than a body may be
    whole(b""),
    whole(b"{}", HEAD.replace(b"/v1/track", b"/v1/page")),
    whole(b"{}", HEAD.replace(b"eA==", b"eB==")),
    whole(b"{}", HEAD.replace(b"POST", b"PUT")),
    whole(b"{}", HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
    whole(b"{}", HEAD.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n")),
    whole(b"{}", HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")),
    whole(b"{}", length=b"Content-Length: 0%d\r\n"),
    whole(b"{}", length=b"Content-Length: +%d\r\n"),
    whole(b"{}", length=b"Content-Length: %d \r\n"),
    whole(b"{}", length=b"Content-Length: 00000000%d\r\n"),
    whole(b"{}", length=b"Content-Length: %d\r\nContent-Length: 2\r\n"),
    whole(b"{}", length=b"Content-Length: %d\n"),
    whole(b"{}", length=b"Transfer-Encoding: chunked\r\nX: %d\r\n"),
    HEAD % b"Transfer-Encoding: chunked\r\n" + b"2\r\n{}\r\n0\r\n\r\n",
    HEAD % b"" + b"",
    b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    b"OPTIONS /v1/track HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\n\r\n",
]


@given(st.lists(st.sampled_from([*VARIED[:2]] * 6 + VARIED), min_size=2, max_size=9), st.data())
def test_requests_are_those_of_readers_that_saw_nothing_before(
    requests: list[bytes], data: st.DataObject
) -> None:
    together = Reader.new()
    joined = b"".join(requests)
    if data.draw(st.booleans()):  # each as it was sent, or cut anywhere
        pieces = requests
    else:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(joined)), max_size=6)))
        pieces = [joined[a:b] for a, b in zip([0, *cuts], [*cuts, len(joined)], strict=True)]
    for piece in pieces:
        together.reader.feed(piece)
    assert together.taken == as_each_alone(requests)
    if not together.reader.reading:
        assert together.connections.held_bytes == 0


def test_the_second_head_is_not_read_by_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Reader.new()
    opened.reader.feed(whole(b"{}"))
    read = list[bytes]()
    monkeypatch.setattr(RequestReader, "on_header", lambda _, name, __: read.append(name))
    opened.reader.feed(whole(b"{  }") + whole(b"{   }"))
    assert [each["body"] for each in opened.taken] == [b"{}", b"{  }", b"{   }"]
    assert read == []


def test_a_client_that_varies_its_heads_is_compared_with_no_more_of_them() -> None:
    opened = Reader.new()
    for number in range(20):
        opened.reader.feed(whole(b"{}", HEAD.replace(b"Host: h", b"Host: h%d" % number)))
    assert len(opened.taken) == 20
    assert {each["fault"] for each in opened.taken} == {None}


def test_nothing_is_taken_beyond_what_all_may_hold() -> None:
    opened = Reader.new()
    opened.reader.feed(whole(b"{}"))
    opened.connections.held_bytes = LIMITS.held_bytes
    opened.reader.feed(whole(b"{}"))
    assert [each["fault"] for each in opened.taken] == [None, 503]


def test_a_head_that_says_more_of_its_body_is_read_each_time() -> None:
    plain = Request("p", b"POST", b"/", {b"content-length": b"2"}, keep_alive=True, held=2)
    assert isinstance(same_head(whole(b"{}"), plain), SameHead)
    for more in ({b"expect": b"100-continue"}, {b"transfer-encoding": b"chunked"}, {b"connection": b"close"}):
        request = Request("p", b"POST", b"/", more, keep_alive=True, held=2)
        assert same_head(whole(b"{}"), request) is None
    assert same_head(whole(b"{}") + b"P", plain) is None
