"""Beside what was sent stands what is stored of it, and what the forwarder did."""

import json
from datetime import UTC, datetime, timedelta

from headgate.console.compare import compared
from headgate.spec import body as bodies
from headgate.spec.prepare import prepare
from headgate.spec.stamp import Arrival

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def stored(sent: bytes) -> bytes:
    """Return an event as the forwarder stores it."""
    arrival = Arrival(received_at=NOW, sent_at=None, project_id="src", call="track")
    return prepare(bodies.read(sent, batch=False), arrival, lambda: "made").events[0].data


def test_what_the_server_adds_changes_and_takes_out_is_marked() -> None:
    sent = {
        "userId": "u",
        "event": "e",
        "timestamp": (NOW - timedelta(hours=1)).isoformat(),
        "sentAt": (NOW - timedelta(minutes=1)).isoformat(),
        "writeKey": "wk",
        "receivedAt": "long ago",
        "properties": {"price": 1.50},
    }
    data = json.dumps(sent).encode()
    pairs = {pair.key: pair for pair in compared(data, stored(data))}
    assert {key: pair.mark for key, pair in pairs.items()} == {
        "userId": "as sent",
        "event": "as sent",
        "originalTimestamp": "added",
        "sentAt": "as sent",
        "properties": "as sent",
        "version": "added",
        "channel": "added",
        "type": "added",
        "messageId": "added",
        "receivedAt": "changed",
        "projectId": "added",
        "timestamp": "changed",
        "writeKey": "taken out",
    }
    assert pairs["properties"].sent == '{\n  "price": 1.5\n}'
    assert (pairs["writeKey"].sent, pairs["writeKey"].stored) == ('"wk"', "")
    assert (pairs["projectId"].sent, pairs["projectId"].stored) == ("", '"src"')


def test_hostile_members_are_inert() -> None:
    sent = json.dumps({"userId": "u", "event": "\u202e", "\u0000": "x" * 10_000}, ensure_ascii=False).encode()
    for pair in compared(sent, stored(sent)):
        for text in (pair.key, pair.sent, pair.stored):
            assert text.replace("\n", "").isprintable()
            assert len(text) <= 1_001


def test_what_is_stored_and_is_no_object_has_no_members() -> None:
    for data in (b"", b"[1]", b"\xff", b"{", b'"x"'):
        assert not compared(b'{"userId":"u"}', data)
