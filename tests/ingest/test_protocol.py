"""One connection: the order of answers, keep-alive, and clients that make no progress."""

import pytest

from headgate.delivery.submission import Outcome
from headgate.ingest.limits import HttpLimits
from tests.ingest.serving import request
from tests.ingest.wire import Wire

BODY = b'{"userId":"u","event":"e","messageId":"m"}'
TRACK = request("/v1/track", BODY, keep=True)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


def statuses(wire: Wire) -> list[int]:
    return [answer.status for answer in wire.answers]


def test_answers_leave_in_the_order_of_their_requests_and_one_is_handed_on_at_a_time() -> None:
    wire = Wire()
    wire.delivery.hold = []
    wire.send(TRACK + HEALTH + TRACK)
    assert len(wire.delivery.given) == 1
    assert wire.answers == []
    wire.delivery.hold.pop()(Outcome())
    assert [answer.body for answer in wire.answers] == [{"success": True}, {"status": "ok"}]
    wire.delivery.hold.pop()(Outcome())
    assert len(wire.answers) == 3


def test_a_connection_with_many_requests_waiting_is_not_read_until_they_are_fewer() -> None:
    wire = Wire(HttpLimits(waiting=2))
    wire.delivery.hold = []
    wire.send(TRACK * 3)
    assert wire.transport.paused
    wire.delivery.hold.pop()(Outcome())
    assert not wire.transport.paused


def test_a_client_that_does_not_read_gets_no_further_answers_and_is_dropped() -> None:
    wire = Wire(HttpLimits(unread_seconds=30))
    wire.send(HEALTH)
    wire.protocol.pause_writing()
    wire.transport.unread = 70_000
    wire.send(HEALTH * 3)
    assert len(wire.answers) == 1
    wire.after(1).after(25)
    wire.transport.unread = 69_000  # slow, but it reads
    wire.after(25).after(25)
    assert not wire.transport.closed
    wire.after(6)
    assert wire.transport.reset


def test_a_client_that_reads_on_gets_all_its_answers() -> None:
    wire = Wire()
    wire.protocol.pause_writing()
    wire.send(HEALTH * 20)
    assert wire.transport.paused
    wire.protocol.resume_writing()
    assert len(wire.answers) == 20
    assert not wire.transport.paused


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [(b"GET /healthz HT", 10), (b"GET /healthz HTTP/1.1\r\nHost: h\r\n", 10), (TRACK[:-1], 30)],
)
def test_a_request_that_is_not_complete_in_time_gets_its_408(sent: bytes, seconds: int) -> None:
    wire = Wire().send(sent).after(seconds)
    assert wire.answers == []
    [answer] = wire.after(1).answers
    assert (answer.status, answer.body["code"], answer.headers["Connection"]) == (408, "timeout", "close")
    assert wire.transport.over
    assert wire.connections.held_bytes == 0


def test_one_byte_now_and_then_does_not_make_a_request_complete() -> None:
    wire = Wire()
    for byte in TRACK[:12]:
        wire.send(bytes([byte])).after(1)
    assert statuses(wire) == [408]


def test_time_in_which_the_server_did_not_read_is_not_counted_against_the_client() -> None:
    wire = Wire(HttpLimits(waiting=1))
    wire.delivery.hold = []
    wire.send(TRACK * 2 + TRACK[:-1])
    assert wire.transport.paused
    wire.after(60)
    wire.delivery.hold.pop()(Outcome())
    wire.delivery.hold.pop()(Outcome())
    wire.after(1).send(TRACK[-1:])
    wire.delivery.hold.pop()(Outcome())
    assert statuses(wire) == [200, 200, 200]


def test_a_quiet_connection_outlives_a_load_balancers_and_is_closed_then() -> None:
    wire = Wire().send(HEALTH).after(74)
    assert not wire.transport.closed
    assert wire.after(2).transport.closed
    assert not wire.transport.reset


def test_a_request_under_way_keeps_its_connection() -> None:
    wire = Wire()
    wire.delivery.hold = []
    wire.send(TRACK).after(1_000)
    wire.protocol.close()
    assert not wire.transport.closed
    wire.delivery.hold.pop()(Outcome())
    assert statuses(wire) == [200]


def test_after_the_last_answer_the_client_has_time_to_read_it() -> None:
    wire = Wire().send(request("/v1/track", BODY))
    assert statuses(wire) == [200]
    assert wire.transport.half_closed
    assert not wire.send(b"what it still sends").transport.closed
    assert wire.after(6).transport.closed
    assert not wire.transport.reset


def test_a_client_that_has_sent_all_gets_its_answers_before_the_end() -> None:
    wire = Wire()
    wire.delivery.hold = []
    wire.send(TRACK * 2)
    assert wire.protocol.eof_received() is True
    wire.delivery.hold.pop()(Outcome())
    assert not wire.transport.closed
    wire.delivery.hold.pop()(Outcome())
    assert statuses(wire) == [200, 200]
    assert wire.transport.closed


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    wire = Wire()
    wire.delivery.hold = []
    wire.send(TRACK * 3 + TRACK[:-1])
    assert wire.connections.held_bytes > 0
    wire.protocol.connection_lost(None)
    assert wire.connections.held_bytes == 0
    assert len(wire.connections) == 0
    wire.delivery.hold.pop()(Outcome())  # nobody is told
    assert wire.answers == []


def test_a_word_to_go_on_waits_for_the_answers_before_it() -> None:
    wire = Wire()
    wire.delivery.hold = []
    waits = request("/v1/track", BODY, "Expect: 100-continue", keep=True)[: -len(BODY)]
    wire.send(TRACK + waits)
    assert wire.transport.written == b""
    wire.delivery.hold.pop()(Outcome())
    assert wire.transport.written.endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    wire.send(BODY)
    wire.delivery.hold.pop()(Outcome())
    assert statuses(wire) == [200, 200]


@pytest.mark.parametrize(
    ("version", "asks", "told"),
    [
        ("1.1", None, None),
        ("1.1", "keep-alive", None),
        ("1.1", "close", "close"),
        ("1.0", None, "close"),
        ("1.0", "close", "close"),
        ("1.0", "keep-alive", "keep-alive"),
        ("1.0", "Keep-Alive", "keep-alive"),
    ],
)
def test_a_connection_is_kept_as_its_client_asks(version: str, asks: str | None, told: str | None) -> None:
    header = f"Connection: {asks}\r\n" if asks else ""
    wire = Wire().send(f"GET /healthz HTTP/{version}\r\n{header}\r\n".encode())
    [answer] = wire.answers
    assert answer.headers.get("Connection") == told
    assert wire.transport.over is (told == "close")


def test_draining_ends_a_connection_with_its_next_answer() -> None:
    wire = Wire().send(TRACK)
    wire.connections.draining = True
    wire.send(TRACK)
    assert [answer.headers.get("Connection") for answer in wire.answers] == [None, "close"]
    assert statuses(wire) == [200, 200]


def test_what_came_with_the_last_request_is_not_answered() -> None:
    wire = Wire()
    wire.connections.draining = True
    wire.send(TRACK * 3)
    assert statuses(wire) == [200]
    assert len(wire.delivery.given) == 1


def test_head_is_get_without_the_body() -> None:
    wire = Wire().send(b"HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
    assert wire.transport.written.endswith(b"Content-Length: 16\r\n\r\n")


def test_thousands_of_pipelined_requests_are_each_answered() -> None:
    assert len(Wire().send(HEALTH * 3_000).answers) == 3_000


def test_thousands_of_requests_that_waited_are_each_answered() -> None:
    wire = Wire()
    wire.delivery.hold = []
    wire.send(TRACK + HEALTH * 3_000)
    wire.delivery.hold.pop()(Outcome())
    assert len(wire.answers) == 3_001
