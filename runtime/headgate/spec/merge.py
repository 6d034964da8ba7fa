"""What a batch says of all its events, merged into each: its `context` and its `integrations`."""

import json
from collections.abc import Callable, Collection
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.event import MAX_DEPTH
from headgate.spec.json_text import deeper
from headgate.spec.members import Member, members
from headgate.spec.splice import is_plain, prepend, remove


class _Own(msgspec.Struct, gc=False):
    context: dict[str, Raw] | UnsetType | None = UNSET
    integrations: dict[str, Raw] | UnsetType | None = UNSET


_decode = msgspec.json.Decoder(_Own).decode


def merging(context: bytes | None, integrations: bytes | None) -> Callable[[bytes], bytes]:
    """Return a function that merges a batch's `context` and `integrations` into an event's text.

    An event's own members win, even where they are null; missing ones are added. An event without the object
    gets the batch's whole, and one in whose place for it stands no object keeps what it has.

    Args:
        context: the JSON of the batch's object, which has members; None where the batch has none.
        integrations: as `context`.
    """
    given = ((b'"context"', context), (b'"integrations"', integrations))
    shared = [_Shared(key, value) for key, value in given if value is not None]

    def merge(text: bytes) -> bytes:
        if text.startswith(b"{") and not deeper(text, MAX_DEPTH):  # such an event will be rejected
            for each in shared:
                text = each.merged_into(text)
        return text

    return merge


class _Shared:
    """One object that a batch shares among its events."""

    def __init__(self, key: bytes, value: bytes) -> None:
        parts = [(name, value[at.start : at.end]) for name, at in _members(value)]
        self._key = key
        self._name = key[1:-1].decode()
        self._names = frozenset(name for name, _ in parts)
        self._whole = b"%b:%b" % (key, value)

        # The events of a batch mostly have the same members.
        @lru_cache(maxsize=8)
        def all_but(own: frozenset[str]) -> bytes:
            return b",".join(part for name, part in parts if name not in own)

        self._all_but = all_but

    def merged_into(self, text: bytes) -> bytes:
        """Return an event's text with what it has not of its own."""
        try:
            own: Collection[str] | UnsetType | None = getattr(_decode(text), self._name)
        except msgspec.DecodeError:  # a lone surrogate, or no object
            own = self._own_exactly(text)
        if own is UNSET or own is None:
            if own is None:
                text = remove(text, self._key, plain=is_plain(text))
            comma = b"," if text[1:-1].strip() else b""
            return b"%b%b%b}" % (text[:-1], comma, self._whole)
        missing = self._all_but(self._names.intersection(own))
        return prepend(text, self._key, missing, plain=is_plain(text)) if missing else text

    def _own_exactly(self, text: bytes) -> Collection[str] | UnsetType | None:
        found = [text[at.value_start : at.end] for _, at in members(text, (self._key,))]
        if not found:
            return UNSET
        if found[-1].startswith(b"{"):
            return {name for name, _ in _members(found[-1])}
        return None if found[-1] == b"null" else self._names  # what is no object misses nothing


def _members(value: bytes) -> list[tuple[str, Member]]:
    return [(json.loads(key), at) for key, at in members(value)]
