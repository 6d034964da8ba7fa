"""The demo's own verdict: it must not pass when an event is missing or changed."""

import copy
from typing import Any

from demo.read_back import telling_part, what_is_missing

SENT = [
    {"type": "page", "messageId": "1", "userId": "u", "anonymousId": None, "timestamp": "t", "context": {}},
    {"type": "track", "messageId": "2", "userId": "u", "event": "Order", "properties": {"revenue": 1.5}},
]


def records() -> list[dict[str, Any]]:
    return copy.deepcopy([{"partitionKey": "u", "event": event} for event in SENT])


def test_all_came_back() -> None:
    assert what_is_missing(SENT, [*records(), {"partitionKey": "x", "data": "AAAA"}]) is None


def test_one_came_twice_as_at_least_once_allows() -> None:
    assert what_is_missing(SENT, records() * 2) is None


def test_what_did_not_come_back_is_named() -> None:
    assert what_is_missing(SENT, records()[:1]) == "track (messageId 2) did not come back"
    assert what_is_missing(SENT, []) == (
        "page (messageId 1) did not come back; track (messageId 2) did not come back"
    )


def test_what_came_back_otherwise_is_named() -> None:
    changed = records()
    changed[1]["event"]["properties"] = {"revenue": 2}
    changed[0]["partitionKey"] = "1"
    assert what_is_missing(SENT, changed) == (
        "page (messageId 1): its partition key is '1', not 'u'; "
        "track (messageId 2): properties is {'revenue': 2}, sent was {'revenue': 1.5}"
    )


def test_the_telling_part_leaves_out_what_every_event_has() -> None:
    assert telling_part(SENT[1]) == '{"event": "Order", "properties": {"revenue": 1.5}}'
