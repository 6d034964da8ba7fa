import json
from datetime import UTC, datetime
from typing import Any

import pytest
from segment.analytics.client import Client
from segment.analytics.request import DatetimeSerializer

from bench.ingest.shapes import CALL, SENT_AT, SHAPES, WRITE_KEY, Shape
from headgate.spec import body as bodies
from headgate.spec import event, merge, splice
from headgate.spec.partition_key import MESSAGE_ID, USER, partition_key
from headgate.spec.prepare import Limits, Prepared, prepare
from headgate.spec.stamp import Arrival

RECEIVED = datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC)


def prepared(
    text: bytes, call: str | None = None, limits: Limits | None = None, *, client_side: bool = False
) -> Prepared:
    body = bodies.read(text, batch=call is None)
    arrival = Arrival(
        received_at=RECEIVED,
        sent_at=body.sent_at,
        project_id="src",
        call=call,
        client_side=client_side,
        ip="203.0.113.7" if client_side else None,
    )
    return prepare(body, arrival, lambda: "new-id", limits or Limits())


def data(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in prepared(text).events]


def test_bad_events_are_named_by_their_place_and_the_others_go_on() -> None:
    good = b'{"type":"page","userId":"u"}'
    items = (good, b"3", b'{"type":"page"}', b"null", good, b"[]", b'"x"', rb'{"x":"\ud83d"}', good)
    found = prepared(b'{"batch":[%b]}' % b",".join(items))
    assert [each.index for each in found.events] == [0, 4, 8]
    assert {index: why.code for index, why in found.rejected.items()} == {
        1: "bad_request",
        2: "no_user_anon_id",
        3: "bad_request",
        5: "bad_request",
        6: "bad_request",
        7: "bad_request",
    }


def test_an_events_size_is_what_the_client_sent() -> None:
    event = b'{"type":"page","userId":"u","x":"%b"}'
    largest = event % (b"y" * (32_768 - len(event) + 2))
    found = prepared(b'{"batch":[%b ,%b]}' % (largest, largest.replace(b"yy", b"yyy", 1)))
    assert [each.index for each in found.events] == [0]
    assert len(found.events[0].data) > 32_768
    assert found.rejected[1] == ("too_large", "the event has 32,769 bytes; allowed: 32,768")
    assert prepared(largest, "page").events


def test_what_a_batch_shares_may_be_as_large_as_an_event() -> None:
    shared = b'{"c":"%b"}'
    largest = shared % (b"y" * (32_768 - len(shared) + 2))
    event = b'{"type":"page","userId":"u"}'
    assert len(prepared(b'{"batch":[%b],"context":%b}' % (event, largest)).events) == 1
    found = prepared(b'{"batch":[%b,%b],"context":%b,"integrations":{"A":1}}' % (event, event, largest))
    assert {why.code for why in found.rejected.values()} == {"too_large"}
    assert len(found.rejected) == 2


@pytest.mark.parametrize("emoji", [b"", rb',"e":"\ud83d"'])
@pytest.mark.parametrize("key", [b"context", b"integrations"])
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (b"", b'{"a": 1.0,"b":{"c":1}}'),
        (b',"%b":null', b'{"a": 1.0,"b":{"c":1}}'),
        (b',"%b":{}', b'{"a": 1.0,"b":{"c":1}}'),
        (b',"%b":{"b":2.0}', b'{"a": 1.0,"b":2.0}'),
        (b',"%b":{"a":null}', b'{"b":{"c":1},"a":null}'),
        (b',"%b":{"a":9,"b":9}', b'{"a":9,"b":9}'),
        (b',"%b":{"\\u0061":9,"z":"\\ud83d"}', b'{"b":{"c":1},"\\u0061":9,"z":"\\ud83d"}'),
        (b',"%b":"text"', b'"text"'),
        (b',"%b":[]', b"[]"),
        (b',"%b":{"x":1},"x":{"%b":5}', b'{"a": 1.0,"b":{"c":1},"x":1}'),
    ],
)
def test_what_a_batch_says_is_merged_into_each_event_and_the_events_own_members_win(
    key: bytes, own: bytes, expected: bytes, emoji: bytes
) -> None:
    event = b'{"type":"page","userId":"u"%b%b}' % (own.replace(b"%b", key), emoji)
    shared = b'{"a": 1.0,"b":{"c":1}}'
    [one, other] = prepared(b'{"%b":%b,"batch":[%b,%b]}' % (key, shared, event, event)).events
    assert b'"%b":%b' % (key, expected) in one.data
    assert one.data.count(b'"%b":' % key) == own.count(b"%b") or own in (b"", b',"%b":null')
    assert one.data == other.data


@pytest.mark.parametrize("more", [b"", b',"context":{"a":1}', b',"writeKey":5', rb',"e":"\ud83d"'])
def test_an_event_too_deep_is_rejected_by_itself_and_a_body_that_cannot_be_read_as_a_whole(
    more: bytes,
) -> None:
    good, refused = b'{"type":"page","userId":"u"}', 0
    for depth in [*range(495, 505), *range(940, 1_010)]:
        deep = b'{"type":"page","userId":"u","x":%b%b}' % (b"[" * (depth - 1), b"]" * (depth - 1))
        text = b'{"batch":[%b,%b]%b}' % (deep, good, more)
        try:
            found = prepared(text)
            assert bodies.read(text, batch=True).write_key is None
        except bodies.Malformed:
            refused += 1
            continue
        assert [each.index for each in found.events] == ([0, 1] if depth <= 500 else [1])
    assert 10 <= refused < 70


def test_what_is_merged_counts_for_what_is_read() -> None:
    items = (
        b'{"type":"page","userId":"u"},{"type":"page","userId":"v","integrations":{"Amazon Kinesis":true}}'
    )
    found = prepared(b'{"integrations":{"All":false},"batch":[%b]}' % items)
    assert [each.user for each in found.events] == ["v"]
    assert found.excluded == 1
    assert not found.rejected
    ip = b'{"context":{"ip":"1.2.3.4"},"batch":[{"type":"page","userId":"u","context":{"a":1}}]}'
    assert json.loads(prepared(ip, client_side=True).events[0].data)["context"] == {"ip": "1.2.3.4", "a": 1}


def test_an_excluded_event_is_counted_and_not_rejected() -> None:
    found = prepared(b'{"userId":"u","integrations":{"All":false}}', "page")
    assert (found.events, found.rejected, found.excluded) == ([], {}, 1)


def test_an_event_is_known_by_its_user_and_its_message() -> None:
    [event] = prepared(b'{"event":"E","userId":"","anonymousId":"a"}', "track").events
    assert (event.user, event.message_id) == ("a", "new-id")
    [event] = prepared(b'{"messageId":"m","userId":"u","anonymousId":"a"}', "page").events
    assert (event.user, event.message_id) == ("u", "m")


def test_ids_with_half_an_emoji_are_delivered_and_give_a_partition_key() -> None:
    text = rb'{"userId":"u\ud83d","messageId":"\ude00","anonymousId":"\ud83d\ude00"}'
    [event] = prepared(text, "page").events
    assert event.data.startswith(text[:-1])
    keys = [
        partition_key(choice)(event) for choice in (USER, MESSAGE_ID, "userId", "messageId", "anonymousId")
    ]
    assert keys == ["u\ufffd", "\ufffd", "u\ufffd", "\ufffd", "\U0001f600"]


@pytest.fixture
def _only_quick_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("an SDK's event took the exact way")

    monkeypatch.setattr(splice, "members", refuse)
    monkeypatch.setattr(merge, "members", refuse)
    monkeypatch.setattr(bodies, "_read_exactly", refuse)
    monkeypatch.setattr(event, "_read_untyped", refuse)


@pytest.mark.usefixtures("_only_quick_ways")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_batches_as_sdks_send_them_take_the_quick_way(shape: Shape) -> None:
    text = shape.batch(20)
    assert bodies.read(text, batch=True).write_key == WRITE_KEY
    found = prepared(text, client_side=shape.client_side)
    assert len(found.events) == 20
    for each in found.events:
        sent, done = json.loads(shape.event(each.index)), json.loads(each.data)
        sent.pop("writeKey", None)
        sent["originalTimestamp"] = sent.pop("timestamp")
        if shape.client_side:
            sent["context"]["ip"] = "203.0.113.7"
        assert done["sentAt"] == SENT_AT
        assert {key: done[key] for key in sent} == sent
        assert set(done) - set(sent) == {
            "receivedAt",
            "projectId",
            "timestamp",
            "sentAt",
            "version",
            "channel",
        }


@pytest.mark.usefixtures("_only_quick_ways")
def test_single_calls_as_browsers_send_them_take_the_quick_way() -> None:
    [event] = prepared(CALL.event(0), "page", client_side=True).events
    assert b"writeKey" not in event.data


@pytest.mark.usefixtures("_only_quick_ways")
def test_every_call_of_segments_python_sdk_takes_the_quick_way() -> None:
    client = Client("wk", send=False)
    calls = [
        client.track("u", "Bought", {"at": datetime(2026, 1, 1, tzinfo=UTC)}),
        client.identify("u", {"e": "ü"}),
        client.page("u", None, "Home"),
        client.screen(None, None, "Home", anonymous_id="a"),
        client.group("u", "g", {"n": 1}),
        client.alias("old", "u"),
    ]
    batch = [message for _, message in calls]
    body = {"batch": batch, "sentAt": "2026-01-02T03:04:10+00:00", "writeKey": "wk"}
    found = prepared(json.dumps(body, cls=DatetimeSerializer).encode())
    assert [json.loads(each.data)["type"] for each in found.events] == [message["type"] for message in batch]
