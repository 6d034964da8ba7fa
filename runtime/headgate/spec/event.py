"""One Spec call: what is read of it, and whether it is one.

A fast, typed decode reads the few members that matter; where it fails, the event is read once more without
types to say with Segment's own code what is wrong.
"""

import json
from typing import Any

import msgspec

CALLS = frozenset({"track", "identify", "page", "screen", "group", "alias"})


class _Object(msgspec.Struct):
    """Any JSON object; its members are not looked at."""


class Fields(msgspec.Struct, rename="camel"):
    """The members of an event that stamping, validating and routing need."""

    type: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    write_key: str | None = None
    properties: _Object | None = None
    traits: _Object | None = None


class Invalid(Exception):  # noqa: N818  # an answer to the client, with Segment's own name for it
    """An event that is none. `code` is Segment's; the text says what is wrong and what is allowed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_decode = msgspec.json.Decoder(Fields).decode

_NOT = {
    "userId": ("id_not_string", "a string"),
    "anonymousId": ("id_not_string", "a string"),
    "previousId": ("id_not_string", "a string"),
    "groupId": ("id_not_string", "a string"),
    "event": ("event_not_string", "a string"),
    "name": ("name_not_string", "a string"),
    "category": ("category_not_string", "a string"),
    "properties": ("properties_not_object", "an object"),
    "traits": ("traits_not_object", "an object"),
}
_LENIENT = ("type", "messageId", "timestamp", "originalTimestamp", "sentAt", "writeKey")


def read(text: bytes, call: str | None) -> Fields:
    """Return what is needed of the event `text`, valid JSON, as a call of the type `call`.

    Args:
        text: the event's JSON, as the client sent it.
        call: the type that the path names; None in a batch, where the event's own `type` counts.

    Raises:
        Invalid: the event breaks the Spec.
    """
    try:
        fields = _decode(text)
    except msgspec.ValidationError:
        fields = _read_untyped(text)
    _validate(fields, call or fields.type)
    return fields


def _validate(fields: Fields, call: str | None) -> None:
    if call not in CALLS:
        raise Invalid("bad_request", f"type is {call!r:.100}; allowed: {', '.join(sorted(CALLS))}")
    if not (fields.user_id or fields.anonymous_id):
        raise Invalid("no_user_anon_id", "neither userId nor anonymousId is given; one of them is needed")
    if call == "track" and not fields.event:
        raise Invalid("event_not_defined", "a track call needs event, its name")
    if call == "group" and not fields.group_id:
        raise Invalid("id_required", "a group call needs groupId")
    if call == "alias" and not fields.previous_id:
        raise Invalid("id_required", "an alias call needs previousId")


def _read_untyped(text: bytes) -> Fields:
    """Return the fields of an event whose members are not all of the types expected, or say which is not."""
    try:
        # Numbers are looked at for their type alone; Python would refuse an integer of 4,300 digits.
        members: Any = json.loads(text, parse_int=len)
    except RecursionError:
        raise Invalid("bad_request", "the event is nested too deeply") from None
    if not isinstance(members, dict):
        raise Invalid("bad_request", "the event is not a JSON object")
    for key, (code, wanted) in _NOT.items():
        value = members.get(key)
        if value is not None and not isinstance(value, str if wanted == "a string" else dict):
            raise Invalid(code, f"{key} is not {wanted}")
    kept = {key: value for key in (*_NOT, *_LENIENT) if (value := members.get(key)) is not None}
    # A time or an ID of a wrong type is carried as it came, and counts as missing.
    for key in _LENIENT:
        if not isinstance(kept.get(key, ""), str):
            del kept[key]
    return msgspec.convert(kept, Fields)
