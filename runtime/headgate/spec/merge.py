"""What a batch says of all its events, merged into each: its `context` and its `integrations`."""

import json
from collections.abc import Callable, Collection

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.members import members
from headgate.spec.splice import is_plain, last, prepend, remove


class _Own(msgspec.Struct, gc=False):
    context: dict[str, Raw] | UnsetType | None = UNSET
    integrations: dict[str, Raw] | UnsetType | None = UNSET


_decode = msgspec.json.Decoder(_Own).decode
_NO_OBJECT: Collection[str] = ()


def merging(context: bytes | None, integrations: bytes | None) -> Callable[[bytes], bytes]:
    """Return a function that merges a batch's `context` and `integrations` into an event's text.

    An event's own members win, even where they are null; missing ones are added. An event without the object
    gets the batch's whole, and one in whose place for it stands no object keeps what it has.

    Args:
        context: the JSON of the batch's object; None where the batch has none.
        integrations: as `context`.
    """
    shared = [
        (key, each, _parts(each))
        for key, each in ((b'"context"', context), (b'"integrations"', integrations))
        if each
    ]

    def merge(text: bytes) -> bytes:
        if not text.startswith(b"{"):
            return text
        for key, whole, parts in shared:
            text = _merge_one(text, key, whole, parts)
        return text

    return merge


def _parts(value: bytes) -> list[tuple[str, bytes]]:
    """Return the members of an object: the key of each, and its text."""
    return [(json.loads(key), value[at.start : at.end]) for key, at in members(value)]


def _merge_one(text: bytes, key: bytes, whole: bytes, parts: list[tuple[str, bytes]]) -> bytes:
    try:
        own = getattr(_decode(text), key[1:-1].decode())
    except msgspec.DecodeError:  # a lone surrogate, or no object
        own = _own_exactly(text, key)
    if own is UNSET or own is None:
        if own is None:
            text = remove(text, key, plain=is_plain(text))
        comma = b"," if text[1:-1].strip() else b""
        return b"".join((text[:-1], comma, key, b":", whole, b"}"))
    missing = [part for name, part in parts if name not in own]
    return (
        prepend(text, key, b",".join(missing), plain=is_plain(text))
        if missing and own is not _NO_OBJECT
        else text
    )


def _own_exactly(text: bytes, key: bytes) -> Collection[str] | UnsetType | None:
    if not any(each == key for each, _ in members(text)):
        return UNSET
    member = last(text, key)
    value = text[member.value_start : member.end]
    if value.startswith(b"{"):
        return {name for name, _ in _parts(value)}
    return None if value == b"null" else _NO_OBJECT
