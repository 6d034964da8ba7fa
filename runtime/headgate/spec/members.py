"""Where the members of a JSON object stand in its text, so that one can be renamed or removed in place.

An event is spliced, never re-serialised: all that the client sent stays as it was sent, byte for byte. The
functions here take text that a JSON decoder has already accepted.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_SPACE = b" \t\n\r"
_STRING = rb'"(?:[^"\\]|\\.)*"'
_SKIP_SPACE = re.compile(rb"[ \t\n\r]*")
_TOKEN = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_SCALAR = re.compile(_STRING + rb"|[^,\]} \t\n\r]+", re.DOTALL)


class Member(NamedTuple):
    """One member of an object; the numbers are offsets in its text."""

    key: str
    start: int
    """Where the key's opening quote stands."""
    key_end: int
    """Just after the key's closing quote."""
    value_start: int
    end: int
    """Just after the value."""


def members(text: bytes) -> Iterator[Member]:
    """Yield each member of the JSON object `text` in order, duplicates included."""
    at = _after_space(text, _after_space(text, 0) + 1)
    while text[at] != 0x7D:  # }
        key_end = _value_end(text, at)
        value_start = _after_space(text, _after_space(text, key_end) + 1)
        value_end = _value_end(text, value_start)
        yield Member(json.loads(text[at:key_end]), at, key_end, value_start, value_end)
        at = _after_comma(text, value_end)


def elements(text: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where each element of the JSON array that begins at `start` begins and ends."""
    at = _after_space(text, _after_space(text, start) + 1)
    while text[at] != 0x5D:  # ]
        end = _value_end(text, at)
        yield at, end
        at = _after_comma(text, end)


def splice(text: bytes, rename: dict[str, bytes], remove: frozenset[str], append: bytes) -> bytes:
    """Return the JSON object `text` with members renamed, removed and appended, all else untouched.

    Args:
        text: a JSON object, already known to be valid.
        rename: the new key, as JSON text with its quotes, for each key to be renamed.
        remove: the keys of members to leave out.
        append: members to add at the end, as JSON text without a comma around them.
    """
    pieces: list[bytes] = []
    taken = text.index(b"{") + 1
    kept_any = False
    for member in members(text):
        if member.key in remove:
            pieces.append(text[taken : member.start])
            taken = _after_comma(text, member.end)
            continue
        if (new_key := rename.get(member.key)) is not None:
            pieces += text[taken : member.start], new_key
            taken = member.key_end
        kept_any = True
    pieces.append(text[taken : text.rindex(b"}")])
    kept = b"".join(pieces).rstrip(_SPACE).removesuffix(b",") if kept_any else b""
    return b"{" + kept + (b"," if kept and append else b"") + append + b"}"


def _after_space(text: bytes, at: int) -> int:
    return _SKIP_SPACE.match(text, at).end()  # type: ignore[union-attr]  # the pattern matches anywhere


def _after_comma(text: bytes, end: int) -> int:
    """Return where the next key or element begins, or where the closing bracket stands."""
    at = _after_space(text, end)
    return _after_space(text, at + 1) if text[at] == 0x2C else at


def _value_end(text: bytes, start: int) -> int:
    if text[start] not in b"{[":
        return _SCALAR.match(text, start).end()  # type: ignore[union-attr]  # valid JSON has a value here
    depth = 0
    for token in _TOKEN.finditer(text, start):
        first = text[token.start()]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
    raise ValueError("the text is not valid JSON")
