import json
from typing import Any

import pytest

from headgate.spec.event import MAX_DEPTH, UNSET, Invalid, excluded, read

U = {"userId": "u"}


@pytest.mark.parametrize(
    ("event", "call", "code"),
    [
        ({"event": "e"}, "track", "no_user_anon_id"),
        ({"event": "e", "userId": None, "anonymousId": None}, "track", "no_user_anon_id"),
        ({}, "identify", "no_user_anon_id"),
        ({"previousId": "p"}, "alias", "no_user_anon_id"),
        ({"userId": ""}, "identify", "id_not_string"),
        ({"userId": None, "anonymousId": ""}, "identify", "id_not_string"),
        ({"userId": 7}, "identify", "id_not_string"),
        ({"userId": 7, "anonymousId": "a"}, "identify", "id_not_string"),
        ({"userId": 0}, "identify", "id_not_string"),
        ({"userId": False}, "identify", "id_not_string"),
        ({"userId": ["u"]}, "identify", "id_not_string"),
        ({"userId": {}}, "identify", "id_not_string"),
        (U | {"anonymousId": 1.5}, "identify", "id_not_string"),
        (U, "track", "event_not_defined"),
        (U | {"event": None}, "track", "event_not_defined"),
        (U | {"event": ""}, "track", "event_not_defined"),
        (U | {"event": 3}, "track", "event_not_string"),
        (U | {"event": "e", "properties": []}, "track", "properties_not_object"),
        (U | {"event": "e", "properties": "{}"}, "track", "properties_not_object"),
        (U | {"event": "e", "properties": 0}, "track", "properties_not_object"),
        (U | {"traits": "x"}, "identify", "traits_not_object"),
        (U | {"traits": False}, "identify", "traits_not_object"),
        (U | {"name": 1}, "page", "name_not_string"),
        (U | {"category": {}}, "screen", "category_not_string"),
        (U, "group", "id_required"),
        (U | {"groupId": None}, "group", "id_required"),
        (U | {"groupId": ""}, "group", "id_not_string"),
        (U | {"groupId": 5}, "group", "id_not_string"),
        (U, "alias", "id_required"),
        (U | {"previousId": ""}, "alias", "id_not_string"),
        (U | {"previousId": 5}, "alias", "id_not_string"),
        (U | {"type": "delete"}, None, "bad_request"),
        (U | {"type": "Track", "event": "e"}, None, "bad_request"),
        (U | {"type": 3}, None, "bad_request"),
        (U | {"type": None}, None, "bad_request"),
        (U, None, "bad_request"),
        ([], None, "bad_request"),
        ("track", "track", "bad_request"),
        (None, "track", "bad_request"),
        (5, "track", "bad_request"),
    ],
)
def test_an_event_that_is_none_is_named_by_segments_own_code(event: Any, call: str | None, code: str) -> None:
    for extra in ({}, {"emoji": "\ud83d"}, {"messageId": 5}):
        text = json.dumps(event | extra if isinstance(event, dict) else event).encode()
        with pytest.raises(Invalid) as raised:
            read(text, call)
        assert raised.value.code == code


@pytest.mark.parametrize(
    ("event", "call"),
    [
        ({"anonymousId": "a"}, "identify"),
        ({"anonymousId": "a", "userId": ""}, "identify"),
        ({"anonymousId": "a", "userId": None, "traits": None}, "identify"),
        (U | {"event": "e", "properties": None, "name": None}, "track"),
        (U | {"event": "e", "type": "page"}, "track"),
        (U | {"event": "e", "type": 5}, "track"),
        (U | {"name": "", "category": ""}, "page"),
        (U, "screen"),
        (U | {"groupId": "g"}, "group"),
        (U | {"previousId": "p"}, "alias"),
        ({"anonymousId": "a", "previousId": "p"}, "alias"),
        (U | {"type": "page"}, None),
        (U | {"type": "track", "event": "e", "messageId": "m" * 200}, None),
        (U | {"context": "none", "integrations": []}, "page"),
        (U | {"context": None, "integrations": None}, "page"),
        (U | {"timestamp": 1700000000, "messageId": 5, "sentAt": {}, "writeKey": 1, "version": []}, "page"),
    ],
)
def test_an_event_that_breaks_no_rule_is_read(event: dict[str, Any], call: str | None) -> None:
    for extra in ({}, {"emoji": "\ud83d"}, {"originalTimestamp": 5}):
        fields = read(json.dumps(event | extra).encode(), call)
        assert fields.user_id == event.get("userId")
        assert fields.anonymous_id == event.get("anonymousId")


def test_the_last_of_two_members_counts() -> None:
    fields = read(
        b'{"userId":7,"userId":"u","type":"x","type":"page","messageId":"m","messageId":null}', None
    )
    assert (fields.user_id, fields.type, fields.message_id) == ("u", "page", None)
    with pytest.raises(Invalid, match="userId is not a string"):
        read(b'{"userId":"u","userId":7}', "page")


def test_a_member_that_is_missing_null_or_unusable_is_told_apart() -> None:
    assert read(b'{"userId":"u"}', "page").timestamp is UNSET
    assert read(b'{"userId":"u","timestamp":null}', "page").timestamp is None
    assert read(b'{"userId":"u","timestamp":5}', "page").timestamp == ""


def test_a_wrong_member_beside_a_huge_number_is_still_named() -> None:
    with pytest.raises(Invalid) as raised:
        read(b'{"userId":"u","event":"e","properties":3,"n":' + b"9" * 10_000 + b"}", "track")
    assert raised.value.code == "properties_not_object"


@pytest.mark.parametrize("emoji", [b"", rb',"e":"\ud83d"'])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_an_event_may_be_nested_so_deeply_and_no_deeper(emoji: bytes, opening: bytes, closing: bytes) -> None:
    def nested(levels: int) -> bytes:
        deep = opening * (levels - 1) + b"1" + closing * (levels - 1)
        return b'{"userId":"u","properties":{},"x":%b%b}' % (deep, emoji)

    assert read(nested(MAX_DEPTH), "page").user_id == "u"
    with pytest.raises(Invalid, match="nested too deeply"):
        read(nested(MAX_DEPTH + 1), "page")


def test_many_brackets_beside_each_other_are_no_depth() -> None:
    assert read(b'{"userId":"u","x":[%b]}' % b",".join([b"[{}]"] * 3_000), "page").user_id == "u"


@pytest.mark.parametrize(
    ("integrations", "out"),
    [
        ("{}", False),
        ('{"All":true}', False),
        ('{"All":false}', True),
        ('{"All": false }', True),
        ('{"Amazon Kinesis":false}', True),
        ('{"All":true,"Amazon Kinesis":false}', True),
        ('{"All":false,"Amazon Kinesis":true}', False),
        ('{"Amazon Kinesis":true,"All":false}', False),
        ('{"All":false,"Amazon Kinesis":{"option":1}}', False),
        ('{"All":false,"Amazon Kinesis":0}', False),
        ('{"All":false,"Amazon Kinesis":"false"}', False),
        ('{"All":false,"Amazon Kinesis":null}', True),
        ('{"All":null}', False),
        ('{"All":0}', False),
        ('{"All":"false"}', False),
        ('{"All":[]}', False),
        ('{"all":false}', False),
        ('{"amazon kinesis":false}', False),
        ('{"Amazon Kinesis (Actions)":false}', False),
        ('{"All":true,"All":false}', True),
        ('{"All":false,"All":true}', False),
        ('{"\\u0041ll":false}', True),
    ],
)
def test_only_false_keeps_an_event_out_and_the_destinations_own_word_decides(
    integrations: str, out: bool
) -> None:
    for extra in ("", r',"e":"\ud83d"', ',"messageId":5'):
        fields = read(f'{{"userId":"u","integrations":{integrations}{extra}}}'.encode(), "page")
        assert fields.integrations is not None
        assert excluded(fields.integrations) is out
