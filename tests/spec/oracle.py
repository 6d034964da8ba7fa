"""What becomes of an event, written a second time and without any regard to speed.

It reads JSON into trees that keep each scalar as it was written, so two trees are equal only where every
string and every number is the same byte for byte. White space between tokens is no part of a tree.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from headgate.spec.stamp import Arrival

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = json.JSONDecoder(parse_int=str, parse_float=str)
MISSING = object()


class Scalar(NamedTuple):
    text: str

    @property
    def value(self) -> Any:
        return _SCALAR.decode(self.text)


class Array(list[Any]): ...


class Object(list[tuple[Scalar, Any]]):
    """Members in order, duplicates included."""

    def get(self, key: str) -> Any:
        """The value that counts, which is the last; None where it is null."""
        found = [value for name, value in self if name.value == key]
        if not found:
            return MISSING
        return None if found[-1] == Scalar("null") else found[-1]

    def without(self, *keys: str) -> "Object":
        return Object((name, value) for name, value in self if name.value not in keys)

    def put(self, key: str, value: Any) -> "Object":
        """The object with another value in the place of the one that counts."""
        at = max(index for index, (name, _) in enumerate(self) if name.value == key)
        return Object([*self[:at], (self[at][0], value), *self[at + 1 :]])


def tree(text: bytes) -> Any:
    decoded = text.decode()
    node, end = _node(decoded, _skip(decoded, 0))
    assert _skip(decoded, end) == len(decoded)
    return node


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _node(text: str, at: int) -> tuple[Any, int]:
    if text[at] not in "{[":
        _, end = _SCALAR.raw_decode(text, at)
        return Scalar(text[at:end]), end
    node: Any = Object() if text[at] == "{" else Array()
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        if isinstance(node, Object):
            key, at = _node(text, at)
            at = _skip(text, at)
            assert text[at] == ":"
            value, at = _node(text, _skip(text, at + 1))
            node.append((key, value))
        else:
            value, at = _node(text, at)
            node.append(value)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return node, at + 1


def quoted(text: str) -> Scalar:
    return Scalar(json.dumps(text, ensure_ascii=False))


def is_text(value: Any) -> bool:
    return isinstance(value, Scalar) and value.text.startswith('"')


def merged(event: Object, key: str, shared: Any) -> Object:
    if not isinstance(shared, Object) or not shared:
        return event
    own = event.get(key)
    if own in (MISSING, None):
        return Object([*event.without(key), (quoted(key), shared)])
    if not isinstance(own, Object):
        return event
    names = {name.value for name, _ in own}
    return event.put(key, Object([*(each for each in shared if each[0].value not in names), *own]))


NOT_TEXT = {
    "userId": "id_not_string",
    "anonymousId": "id_not_string",
    "groupId": "id_not_string",
    "previousId": "id_not_string",
    "event": "event_not_string",
    "name": "name_not_string",
    "category": "category_not_string",
}
CALLS = ("track", "identify", "page", "screen", "group", "alias")


def codes(event: Any, call: str | None) -> set[str]:
    """All that Segment could say against an event; none where it is one."""
    if not isinstance(event, Object):
        return {"bad_request"}
    there = {name.value: event.get(name.value) for name, _ in event if event.get(name.value) is not None}
    texts = {key: value.value for key, value in there.items() if is_text(value)}
    called = call or texts.get("type")
    found = set() if called in CALLS else {"bad_request"}
    found |= {code for key, code in NOT_TEXT.items() if key in there and key not in texts}
    for key in ("properties", "traits"):
        if not isinstance(there.get(key, Object()), Object):
            found.add(f"{key}_not_object")
    if not (texts.get("userId") or texts.get("anonymousId")):
        found.add("id_not_string" if {"userId", "anonymousId"} & set(there) else "no_user_anon_id")
    needed = {"track": "event", "group": "groupId", "alias": "previousId"}.get(called or "")
    if needed and not texts.get(needed):
        missing = "id_not_string" if needed in there else "id_required"
        found.add("event_not_defined" if needed == "event" else missing)
    return found


def excluded(event: Object) -> bool:
    integrations = event.get("integrations")
    if not isinstance(integrations, Object):
        return False
    named = integrations.get("Amazon Kinesis")
    return (integrations.get("All") if named in (MISSING, None) else named) == Scalar("false")


def moment(value: Any) -> datetime | None:
    text = value.value if is_text(value) else ""
    if "-" not in text or len(text) > 64:
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def rendered(when: datetime) -> Scalar:
    return quoted(when.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def stamped(event: Object, arrival: Arrival, message_id: str) -> tuple[Object, dict[str, Scalar]]:
    """The members that are carried, in order, and those that are added."""
    received = rendered(arrival.received_at)
    received_at = datetime.fromisoformat(received.value)
    added = {"receivedAt": received, "projectId": quoted(arrival.project_id)}
    batch_sent = moment(quoted(arrival.sent_at)) if arrival.sent_at is not None else None
    sent_at = quoted(arrival.sent_at or "") if batch_sent else received
    carried = _with_address(event.without("writeKey", "receivedAt", "projectId"), arrival)
    for key, value in (
        ("sentAt", sent_at),
        ("version", Scalar("2")),
        ("channel", quoted("client" if arrival.client_side else "server")),
    ):
        if carried.get(key) in (MISSING, None):
            carried = carried.without(key)
            added[key] = value
    own = event.get("type")
    if arrival.call and not (is_text(own) and own.value == arrival.call):
        carried = carried.without("type")
        added["type"] = quoted(arrival.call)
    own = event.get("messageId")
    if not is_text(own) or not own.value:
        carried = carried.without("messageId")
        added["messageId"] = quoted(message_id)
    original = event.get("timestamp")
    if original not in (MISSING, None):
        carried = Object(
            (quoted("originalTimestamp") if name.value == "timestamp" else name, value)
            for name, value in carried.without("originalTimestamp")
        )
    else:
        carried = carried.without("timestamp")
        original = event.get("originalTimestamp")
        if original in (MISSING, None):
            carried = carried.without("originalTimestamp")
            added["originalTimestamp"] = sent_at
    happened, sent = moment(original), moment(event.get("sentAt")) or batch_sent
    if happened is None:
        happened = received_at
    else:
        try:
            happened += received_at - sent if sent else timedelta(0)
        except OverflowError:
            happened = received_at
    added["timestamp"] = rendered(happened)
    return carried, added


def _with_address(event: Object, arrival: Arrival) -> Object:
    if arrival.ip is None:
        return event
    ip = (quoted("ip"), quoted(arrival.ip))
    context = event.get("context")
    if context in (MISSING, None):
        return (
            Object([*event.without("context"), (quoted("context"), Object([ip]))])
            if arrival.client_side
            else event
        )
    if not isinstance(context, Object) or context.get("ip") not in (MISSING, None):
        return event
    if not arrival.client_side and context.get("direct") != Scalar("true"):
        return event
    return event.put("context", Object([ip, *context.without("ip")]))
