import json
from datetime import UTC, datetime
from typing import Any

import pytest

from headgate.spec.event import read
from headgate.spec.stamp import Arrival, Stamp

RECEIVED = datetime(2026, 1, 2, 3, 4, 10, 123_456, tzinfo=UTC)
NOW = "2026-01-02T03:04:10.123Z"
SERVER = {"version": 2, "channel": "server", "receivedAt": NOW, "projectId": "src"}
USER = b'{"type":"page","userId":"u","messageId":"m"%b}'


def arrival(**given: Any) -> Arrival:
    return Arrival(**{"received_at": RECEIVED, "sent_at": None, "project_id": "src"} | given)


def stamped(text: bytes, **given: Any) -> bytes:
    fields = read(text, given.get("call"))
    data = Stamp(arrival(**given), lambda: "new-id")(text, fields)
    assert json.loads(data)["messageId"] == fields.message_id
    return data


def values(text: bytes, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stamped(text, **given))
    return found


def user(members: bytes, **given: Any) -> dict[str, Any]:
    return values(USER % members, **given)


def test_a_bare_call_gets_its_type_its_message_id_and_its_times() -> None:
    assert values(b'{"userId":"u","event":"e"}', call="track") == SERVER | {
        "userId": "u",
        "event": "e",
        "type": "track",
        "messageId": "new-id",
        "originalTimestamp": NOW,
        "sentAt": NOW,
        "timestamp": NOW,
    }


def test_the_times_of_an_event_agree_with_each_other_to_the_millisecond() -> None:
    given = {"received_at": datetime(2026, 1, 2, 3, 4, 10, 123_999, tzinfo=UTC)}
    members = b',"timestamp":"2026-01-02T03:04:05.000500Z","sentAt":"2026-01-02T03:04:05.000500Z"'
    found = user(members, **given)
    assert found["timestamp"] == found["receivedAt"] == NOW
    # sentAt - originalTimestamp is 0.1 ms, so receivedAt less that is in the millisecond before.
    found = user(members.replace(b"5.000500Z", b"5.000400Z", 1), **given)
    assert found["timestamp"] == "2026-01-02T03:04:10.122Z"


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("original", "sent_at", "timestamp"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z", "2026-01-02T03:04:07.123Z"),
        ("2026-01-01T00:00:00.500000+00:00", "2026-01-01T00:00:00.500Z", NOW),
        ("2026-01-01T01:00:00+01:00", "2025-12-31T19:00:00-05:00", NOW),
        ("2026-01-01", "2026-01-01 00:00:00", NOW),
        ("2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z", "2026-01-02T03:04:11.123Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", NOW),
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", NOW),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", NOW),
        ("0001-01-01T00:00:00+14:00", "2026-01-02T03:04:10Z", NOW),
        ("2020-05-05T00:00:00Z", "when?", "2020-05-05T00:00:00.000Z"),
        ("when?", "2026-01-02T03:04:00Z", NOW),
        ("1700000000000", "2026-01-02T03:04:00Z", NOW),
        ("", "2026-01-02T03:04:00Z", NOW),
    ],
)
def test_the_clients_clock_is_corrected_by_what_it_was_when_it_sent(
    original: str, sent_at: str, timestamp: str, batched: bool
) -> None:
    own = b"" if batched else b',"sentAt":"%b"' % sent_at.encode()
    done = user(b',"timestamp":"%b"%b' % (original.encode(), own), sent_at=sent_at if batched else None)
    assert done["originalTimestamp"] == original
    assert done["timestamp"] == timestamp
    assert done["sentAt"] == (NOW if batched and sent_at == "when?" else sent_at)


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    done = user(b"", sent_at="2026-01-02T03:04:00Z")
    assert (done["timestamp"], done["originalTimestamp"]) == (NOW, "2026-01-02T03:04:00Z")
    done = user(b',"originalTimestamp":"2026-01-02T03:03:59Z"', sent_at="2026-01-02T03:04:00Z")
    assert (done["timestamp"], done["originalTimestamp"]) == (
        "2026-01-02T03:04:09.123Z",
        "2026-01-02T03:03:59Z",
    )


@pytest.mark.parametrize(
    "value", [b"1700000000000", b"1.5e9", b'"1701010312345"', b'"soon"', b'""', b"{}", b"[1]"]
)
def test_a_time_that_cannot_be_read_is_carried_and_counts_as_missing(value: bytes) -> None:
    text = stamped(USER % (b',"timestamp":' + value))
    assert b',"originalTimestamp":%b,' % value in text
    done = json.loads(text)
    assert done["timestamp"] == NOW
    assert done["sentAt"] == NOW


def test_nulls_count_as_missing_where_the_spec_wants_a_value_and_are_carried_elsewhere() -> None:
    keys = (
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "version",
        "channel",
        "receivedAt",
        "projectId",
    )
    nulls = b"".join(b',"%b":null' % key.encode() for key in keys)
    text = b'{"type":"page","userId":"u","anonymousId":null,"name":null%b,"context":null,"integrations":null}'
    done = values(text % nulls, sent_at="2026-01-02T03:04:00.000Z")
    assert done == SERVER | {
        "type": "page",
        "userId": "u",
        "anonymousId": None,
        "name": None,
        "context": None,
        "integrations": None,
        "messageId": "new-id",
        "originalTimestamp": "2026-01-02T03:04:00.000Z",
        "sentAt": "2026-01-02T03:04:00.000Z",
        "timestamp": NOW,
    }


@pytest.mark.parametrize("value", [b"null", b'""', b"5", b"{}", b"false"])
def test_an_event_without_a_usable_message_id_is_given_one(value: bytes) -> None:
    assert values(b'{"type":"page","userId":"u","messageId":%b}' % value)["messageId"] == "new-id"


def test_the_type_is_the_paths() -> None:
    assert values(b'{"type":"page","userId":"u"}', call="screen")["type"] == "screen"
    assert values(b'{"type":7,"userId":"u"}', call="screen")["type"] == "screen"
    assert values(b'{"type":null,"userId":"u"}', call="screen")["type"] == "screen"
    assert stamped(b'{"type":"page","userId":"u","messageId":"m"}', call="page").count(b'"type"') == 1


def test_what_only_the_server_knows_is_the_servers() -> None:
    done = user(b',"receivedAt":"never","projectId":{"x":1},"writeKey":"wk","version":1,"channel":"mine"')
    assert done["receivedAt"] == NOW
    assert done["projectId"] == "src"
    assert "writeKey" not in done
    assert (done["version"], done["channel"]) == (1, "mine")
    assert user(b"", client_side=True)["channel"] == "client"


IP = "203.0.113.7"


@pytest.mark.parametrize(
    ("members", "client_side", "context"),
    [
        (b"", True, {"ip": IP}),
        (b"", False, None),
        (b',"context":null', True, {"ip": IP}),
        (b',"context":{}', True, {"ip": IP}),
        (b',"context":{ }', True, {"ip": IP}),
        (b',"context":{"a":1}', True, {"ip": IP, "a": 1}),
        (b',"context": {"a":1}', True, {"ip": IP, "a": 1}),
        (b',"context":{"a":1}', False, {"a": 1}),
        (b',"context":{"direct":true}', False, {"ip": IP, "direct": True}),
        (b',"context":{"direct":"true"}', False, {"direct": "true"}),
        (b',"context":{"direct":false}', False, {"direct": False}),
        (b',"context":{"direct":null}', False, {"direct": None}),
        (b',"context":{"ip":"1.2.3.4"}', True, {"ip": "1.2.3.4"}),
        (b',"context":{"ip":"","direct":true}', True, {"ip": "", "direct": True}),
        (b',"context":{"ip":null}', True, {"ip": IP}),
        (b',"context":{"ip":null,"a":1}', True, {"ip": IP, "a": 1}),
        (b',"context":{"ip":null}', False, {"ip": None}),
        (b',"context":"text"', True, "text"),
        (b',"context":[]', True, []),
        (b',"context":{"p":{"ip":"1.2.3.4"}}', True, {"ip": IP, "p": {"ip": "1.2.3.4"}}),
        (b',"properties":{"context":{"b":2}},"context":{"a":1}', True, {"ip": IP, "a": 1}),
        (b',"context":{"b":2},"context":{"a":1}', True, {"ip": IP, "a": 1}),
        (b',"context":{"b":2},"context":null', True, {"ip": IP}),
    ],
)
def test_the_address_is_noted_of_a_client_side_call_or_where_it_is_asked_for(
    members: bytes, client_side: bool, context: Any
) -> None:
    assert user(members, client_side=client_side, ip=IP).get("context") == context


def test_without_an_address_none_is_noted() -> None:
    assert "context" not in user(b"", client_side=True)


def test_what_the_client_sent_stays_byte_for_byte() -> None:
    properties = rb'{"n":1.0,"big":12345678901234567890,"d":1,"d":2,"t":"\u00e9\ud83d","x":1e999,"z":-0}'
    event = b'{"type":"page","userId":"u", "properties" : %b ' % properties
    assert stamped(event + b"}").startswith(event + b",")


def test_a_source_id_is_written_as_json_whatever_it_holds() -> None:
    assert user(b"", project_id='a"b\\c')["projectId"] == 'a"b\\c'


def test_a_batchs_sent_at_that_is_no_time_is_not_put_into_its_events() -> None:
    assert user(b"", sent_at="x" * 100_000)["sentAt"] == NOW
    assert user(b"", sent_at="2026-01-02T03:04:00." + "0" * 100_000 + "Z")["sentAt"] == NOW
