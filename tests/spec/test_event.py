import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headgate.spec import body as bodies
from headgate.spec import event as events
from headgate.spec import timestamps
from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Event, prepare
from headgate.spec.stamp import Arrival, stamp

RECEIVED = datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC)


def stamped(text: bytes, call: str | None = None, sent_at: str | None = None) -> dict[str, Any]:
    arrival = Arrival(received_at=RECEIVED, sent_at=sent_at, project_id="src", call=call)
    done: dict[str, Any] = json.loads(stamp(text, events.read(text, call), arrival, lambda: "new-id"))
    return done


def test_a_bare_call_gets_its_type_its_message_id_and_its_times() -> None:
    assert stamped(b'{"userId":"u","event":"e"}', "track") == {
        "userId": "u",
        "event": "e",
        "type": "track",
        "messageId": "new-id",
        "originalTimestamp": "2026-01-02T03:04:10.000Z",
        "sentAt": "2026-01-02T03:04:10.000Z",
        "timestamp": "2026-01-02T03:04:10.000Z",
        "receivedAt": "2026-01-02T03:04:10.000Z",
        "projectId": "src",
    }


def test_the_clients_clock_is_corrected_by_what_it_was_when_it_sent() -> None:
    times = b'"timestamp":"2026-01-01T00:00:00Z","sentAt":"2026-01-01T00:00:03Z"'
    event = b'{"type":"page","userId":"u","messageId":"m",' + times + b"}"
    done = stamped(event)
    assert done["originalTimestamp"] == "2026-01-01T00:00:00Z"
    assert done["sentAt"] == "2026-01-01T00:00:03Z"
    assert done["timestamp"] == "2026-01-02T03:04:07.000Z"
    assert done["messageId"] == "m"


def test_nulls_count_as_missing_and_the_write_key_goes() -> None:
    nulls = b'"anonymousId":null,"messageId":null,"timestamp":null,"sentAt":null'
    event = b'{"type":"page","userId":"u",' + nulls + b',"writeKey":"wk"}'
    done = stamped(event, sent_at="2026-01-02T03:04:00.000Z")
    assert done["anonymousId"] is None
    assert done["messageId"] == "new-id"
    assert done["sentAt"] == "2026-01-02T03:04:00.000Z"
    assert done["timestamp"] == "2026-01-02T03:04:10.000Z"
    assert "writeKey" not in done


def test_what_the_client_sent_stays_byte_for_byte() -> None:
    properties = b'{"n":1.0,"big":12345678901234567890,"d":1,"d":2,"t":"\\u00e9"}'
    event = b'{"type":"page","userId":"u", "properties" : ' + properties + b"}"
    arrival = Arrival(received_at=RECEIVED, sent_at=None, project_id="src")
    done = stamp(event, events.read(event, None), arrival, lambda: "new-id")
    assert done.startswith(event[:-1] + b",")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.678Z", datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.678901+00:00", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (None, None),
    ],
)
def test_every_form_of_a_time_that_sdks_send_is_read(text: str | None, moment: datetime | None) -> None:
    assert timestamps.parse(text) == moment


def test_a_correction_outside_the_calendar_falls_back_to_the_time_of_receipt() -> None:
    early, late = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert timestamps.corrected(early, late, RECEIVED) == RECEIVED
    assert timestamps.corrected(RECEIVED, RECEIVED + timedelta(seconds=5), RECEIVED) == RECEIVED - timedelta(
        seconds=5
    )


@pytest.mark.parametrize(
    ("event", "call", "code"),
    [
        ({"event": "e"}, "track", "no_user_anon_id"),
        ({"userId": "", "event": "e"}, "track", "no_user_anon_id"),
        ({"userId": 7, "event": "e"}, "track", "id_not_string"),
        ({"userId": "u"}, "track", "event_not_defined"),
        ({"userId": "u", "event": 3}, "track", "event_not_string"),
        ({"userId": "u", "event": "e", "properties": []}, "track", "properties_not_object"),
        ({"userId": "u", "traits": "x"}, "identify", "traits_not_object"),
        ({"userId": "u", "name": 1}, "page", "name_not_string"),
        ({"userId": "u", "category": {}}, "page", "category_not_string"),
        ({"userId": "u"}, "group", "id_required"),
        ({"userId": "u"}, "alias", "id_required"),
        ({"userId": "u", "type": "delete"}, None, "bad_request"),
        ({"userId": "u"}, None, "bad_request"),
        ([], None, "bad_request"),
    ],
)
def test_an_event_that_is_none_is_named_by_segments_own_code(event: Any, call: str | None, code: str) -> None:
    with pytest.raises(events.Invalid) as raised:
        events.read(json.dumps(event).encode(), call)
    assert raised.value.code == code


def test_a_time_or_id_of_a_wrong_type_is_no_reason_to_lose_the_event() -> None:
    done = stamped(b'{"type":"page","userId":"u","messageId":5,"timestamp":1700000000}')
    assert done["messageId"] == "new-id"
    assert done["timestamp"] == "2026-01-02T03:04:10.000Z"


def test_a_wrong_member_beside_a_huge_number_is_still_named() -> None:
    with pytest.raises(events.Invalid) as raised:
        events.read(b'{"userId":"u","event":"e","properties":3,"n":' + b"9" * 10_000 + b"}", "track")
    assert raised.value.code == "properties_not_object"


def test_the_partition_key_is_the_user_the_anonymous_user_or_the_message() -> None:
    event = Event(index=0, data=b"", message_id="m", user="u")
    assert partition_key(event, use_message_id=False) == "u"
    assert partition_key(event, use_message_id=True) == "m"
    only_anonymous = b'{"event":"E","userId":"","anonymousId":"a"}'
    arrival = Arrival(received_at=RECEIVED, sent_at=None, project_id="src", call="track")
    [event] = prepare(bodies.read(only_anonymous, batch=False), arrival, lambda: "new-id").events
    assert partition_key(event, use_message_id=False) == "a"


@pytest.mark.parametrize(
    ("key", "kept"), [("k" * 256, True), ("k" * 257, False), ("é" * 128, True), ("é" * 129, False)]
)
def test_a_key_that_kinesis_would_refuse_becomes_its_hash(key: str, kept: bool) -> None:
    found = partition_key(Event(index=0, data=b"", message_id="m", user=key), use_message_id=False)
    assert (found == key) is kept
    assert 1 <= len(found.encode()) <= 256


@pytest.mark.parametrize(
    ("text", "batch", "said"),
    [
        (b"{", False, "not valid JSON"),
        (b'{"a":NaN}', False, "not valid JSON"),
        (b'{"a":"\xff"}', False, "not UTF-8"),
        (b"[]", False, "Expected `object`"),
        (b'{"a":' + b"[" * 100_000, False, "not valid JSON"),
        (b"{}", True, "batch is missing or empty"),
        (b'{"batch":[]}', True, "batch is missing or empty"),
        (b'{"batch":{}}', True, "batch"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(text: bytes, batch: bool, said: str) -> None:
    with pytest.raises(bodies.Malformed, match=said):
        bodies.read(text, batch=batch)


def test_the_write_key_of_a_batch_stands_beside_it_or_in_its_items() -> None:
    assert bodies.read(b'{"batch":[{"writeKey":"b"}],"writeKey":"a"}', batch=True).write_key == "a"
    assert bodies.read(b'{"batch":[{"writeKey":"b"}]}', batch=True).write_key == "b"
    assert bodies.read(b'{"batch":[3]}', batch=True).write_key is None
