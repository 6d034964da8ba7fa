"""One Spec call: what is read of it, and whether it is one.

One typed decode reads the few members that matter. Where it fails, the event's members are read once more
without their types, to say with Segment's own code what is wrong, or that nothing is.
"""

from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.json_text import deeper, shadow

CallType = Literal["track", "identify", "page", "screen", "group", "alias"]
CALLS: frozenset[str] = frozenset(get_args(CallType))
DESTINATION = "Amazon Kinesis"
"""The name that an event's `integrations` know this destination by; case counts."""
MAX_DEPTH = 500
"""Levels of objects and arrays in an event. JSON decoders have limits of their own, Python's near 1,000."""


class _Object(msgspec.Struct, gc=False):
    """Any JSON object; its members are not looked at."""


class Context(msgspec.Struct, gc=False):
    """What is read of an event's `context`."""

    ip: Raw | UnsetType = UNSET
    direct: Raw | UnsetType = UNSET


class Integrations(msgspec.Struct, gc=False):
    """What is read of an event's `integrations`."""

    all: Raw | UnsetType = msgspec.field(default=UNSET, name="All")
    kinesis: Raw | UnsetType = msgspec.field(default=UNSET, name=DESTINATION)


class Fields(msgspec.Struct, rename="camel", gc=False):
    """The members of an event that stamping, validating and routing need.

    Where it matters, UNSET is a member that is not there, and None one that is null. A time, a type or a
    message ID that is there and cannot be used is the empty text.
    """

    timestamp: str | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET
    user_id: str | None = None
    anonymous_id: str | None = None
    event: str | None = None
    properties: _Object | None = None
    context: Context | UnsetType | None = UNSET
    integrations: Integrations | None = None
    message_id: str | UnsetType | None = UNSET
    traits: _Object | None = None
    name: str | None = None
    category: str | None = None
    group_id: str | None = None
    previous_id: str | None = None
    write_key: Raw | UnsetType = UNSET
    sent_at: str | UnsetType | None = UNSET
    original_timestamp: str | UnsetType | None = UNSET
    received_at: Raw | UnsetType = UNSET
    project_id: Raw | UnsetType = UNSET
    version: Raw | UnsetType = UNSET
    channel: Raw | UnsetType = UNSET


class Invalid(Exception):  # noqa: N818  # an answer to the client, with Segment's own name for it
    """An event that is none. `code` is Segment's; the text says what is wrong and what is allowed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


decode = msgspec.json.Decoder(Fields).decode
"""Reads an event as it usually is; raises DecodeError for others, which `read` may still take."""
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode

_ATTRIBUTES = {field.encode_name: field.name for field in msgspec.structs.fields(Fields)}
_NOT_STRING = {
    "userId": "id_not_string",
    "anonymousId": "id_not_string",
    "previousId": "id_not_string",
    "groupId": "id_not_string",
    "event": "event_not_string",
    "name": "name_not_string",
    "category": "category_not_string",
}
_NOT_OBJECT = {"properties": "properties_not_object", "traits": "traits_not_object"}
_LENIENT_TEXTS = frozenset({"type", "messageId", "timestamp", "originalTimestamp", "sentAt"})
_decode_context = msgspec.json.Decoder(Context).decode
_decode_integrations = msgspec.json.Decoder(Integrations).decode
# A context that is no object takes no address, as one that has an address does.
_NO_OBJECT = Context(ip=Raw(b'""'))


def read(text: bytes, call: str | None, fields: Fields | None = None) -> Fields:
    """Return what is needed of the event `text`, valid JSON, as a call of the type `call`.

    Args:
        text: the event's JSON, as the client sent it, without white space around it.
        call: the type that the path names; None in a batch, where the event's own `type` counts.
        fields: what `decode` has made of it, where that was done already.

    Raises:
        Invalid: the event breaks the Spec.
    """
    if deeper(text, MAX_DEPTH):
        raise Invalid("bad_request", f"the event is nested too deeply; allowed: {MAX_DEPTH} levels")
    try:
        if fields is None:
            fields = decode(text)
    except msgspec.DecodeError:
        fields = _read_untyped(shadow(text))
    _validate(fields, call or fields.type or None)
    return fields


def excluded(integrations: Integrations) -> bool:
    """Return whether an event's `integrations` keep it out of Amazon Kinesis.

    The destination's own member decides, and where it has none `All` does. Only `false` excludes; null counts
    as no member.
    """
    own = integrations.kinesis
    if own is not UNSET and not is_json(own, b"null"):
        return is_json(own, b"false")
    return integrations.all is not UNSET and is_json(integrations.all, b"false")


def is_json(value: Raw, literal: bytes) -> bool:
    """Return whether a member is this JSON literal."""
    return bytes(value) == literal


def _validate(fields: Fields, call: str | None) -> None:
    if call not in CALLS:
        found = "missing or no string" if call is None else f"{call!r:.100}"
        raise Invalid("bad_request", f"type is {found}; allowed: {', '.join(sorted(CALLS))}")
    if not fields.user_id and not fields.anonymous_id:
        if fields.user_id is None and fields.anonymous_id is None:
            raise Invalid("no_user_anon_id", "neither userId nor anonymousId is given; one of them is needed")
        raise Invalid("id_not_string", "userId or anonymousId has to be a string that is not empty")
    if call == "track":
        if not fields.event:
            raise Invalid("event_not_defined", "a track call needs event, its name")
    elif call == "group" and not fields.group_id:
        raise _without_id("groupId", fields.group_id)
    elif call == "alias" and not fields.previous_id:
        raise _without_id("previousId", fields.previous_id)


def _without_id(key: str, value: str | None) -> Invalid:
    if value is None:
        return Invalid("id_required", f"a call of this type needs {key}")
    return Invalid("id_not_string", f"{key} has to be a string that is not empty")


def _read_untyped(text: bytes) -> Fields:
    """Return the fields of an event whose members are not all of the types expected, or say which is not."""
    try:
        members = _decode_members(text)
    except msgspec.ValidationError:
        raise Invalid("bad_request", "the event is not a JSON object") from None
    fields = Fields()
    for key, value in members.items():
        if (attribute := _ATTRIBUTES.get(key)) is not None:
            setattr(fields, attribute, _value(key, value))
    return fields


def _value(key: str, value: Raw) -> Any:
    first = bytes(value)[:1]
    if key in _NOT_STRING or key in _LENIENT_TEXTS:
        if first == b'"':
            return _decode_text(value)
        if first == b"n":
            return None
        if (code := _NOT_STRING.get(key)) is not None:
            raise Invalid(code, f"{key} is not a string")
        return ""
    if key in _NOT_OBJECT:
        if first not in (b"{", b"n"):
            raise Invalid(_NOT_OBJECT[key], f"{key} is not an object")
        return None
    if key == "context" and first != b"n":
        return _decode_context(value) if first == b"{" else _NO_OBJECT
    if key == "integrations":
        return _decode_integrations(value) if first == b"{" else None
    return None if key == "context" else value
