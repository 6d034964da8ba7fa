"""The partition key of an event's record, as the settings of a destination choose it."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.json_text import shadow
from headgate.spec.prepare import Event

USER = "userId || anonymousId"
MESSAGE_ID = "messageId"

# A key that holds a dot cannot be named, nor one that JSON writes with escapes. Brackets, bars and "$." are
# of other kinds of paths; here they would be part of keys that no event has.
_KEY = r'(?!\s)[^.\[\]|"\\\x00-\x1f\x7f]+(?<!\s)'
PATH = re.compile(rf"(?!\$\.){_KEY}(?:\.{_KEY})*")
"""Where a member of an event is: the keys that lead to it, with dots between them."""

_QUOTE = ord('"')
_decode_text = msgspec.json.Decoder(str).decode
_Step = Callable[[bytes | Raw], Any]


@lru_cache(maxsize=1024)  # the destinations of many sources choose alike
def partition_key(choice: str) -> Callable[[Event], str]:
    """Return a function that gives the partition key of an event.

    Args:
        choice: `USER`, `MESSAGE_ID`, or the path of a member of the event as it goes into the stream. There a
            string is the key as it is, and a number, `true` or `false` is it as its JSON text. Where nothing
            is, or null, an empty string, an object or an array, `USER` is the key.
    """
    if choice == USER:
        return attrgetter("user")
    if choice == MESSAGE_ID:
        return attrgetter("message_id")
    steps = [_step(key) for key in choice.split(".")]

    def key_at_path(event: Event) -> str:
        try:
            found = _scalar_at(steps, event.data)
        except msgspec.DecodeError:  # a lone surrogate
            found = _scalar_at(steps, shadow(event.data))
        return found or event.user

    return key_at_path


def _step(key: str) -> _Step:
    """Return a function that reads of an object one member, the last of that key, as `value`."""
    member = ("value", Raw | UnsetType, msgspec.field(default=UNSET, name=key))
    return msgspec.json.Decoder(msgspec.defstruct("Step", [member], gc=False)).decode


def _scalar_at(steps: Sequence[_Step], text: bytes) -> str:
    """Return the text of the string, number or boolean that a path leads to; empty where it leads to none."""
    value: bytes | Raw = text
    try:
        for step in steps:
            found = step(value).value
            if found is UNSET:
                return ""
            value = found
    except msgspec.ValidationError:  # no object to go on in
        return ""
    scalar = bytes(value)
    if scalar[0] in b"{[n":
        return ""
    return _decode_text(scalar) if scalar[0] == _QUOTE else scalar.decode()
