"""Where the members of a JSON object stand in its text: the exact way, which reads every token before them.

The functions here take text that a JSON decoder has already accepted.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from headgate.spec.json_text import STRING

_SPACE = rb"[ \t\n\r]*"
_SCALAR = STRING + rb'|[^"{\[,\]} \t\n\r]+'
_COMMA = _SPACE + rb"(?:," + _SPACE + rb")?"
_CLOSING = b"}]"

# A key and its colon; then a scalar and a comma, or nothing where an object or an array begins.
_member = re.compile(rb"(%b)%b:%b(?:(%b)%b)?" % (STRING, _SPACE, _SPACE, _SCALAR, _COMMA), re.DOTALL).match
_scalar = re.compile(_SCALAR, re.DOTALL).match
_comma = re.compile(_COMMA).match
_space = re.compile(_SPACE).match
_tokens = re.compile(STRING + rb"|[{}\[\]]", re.DOTALL).finditer


class Member(NamedTuple):
    """One member of an object; the numbers are offsets in its text."""

    start: int
    """Where the key's opening quote stands."""
    key_end: int
    """Just after the key's closing quote."""
    value_start: int
    end: int
    """Just after the value."""
    next: int
    """Where the next member begins, or the object's closing bracket stands."""


def members(text: bytes, keys: Collection[bytes] | None = None) -> Iterator[tuple[bytes, Member]]:
    """Yield the members of the JSON object `text` in order, duplicates included: each one's key and place.

    Args:
        text: the object.
        keys: the keys of the members to yield; absent for all. Here and in what is yielded a key has its
            quotes, and is written as JSON usually writes it.
    """
    at = after_space(text, after_space(text, 0) + 1)
    while text[at] not in _CLOSING:
        found = _member(text, at)
        if found is None:
            raise ValueError("the text is not valid JSON")
        key, value_start, end, following = found[1], found.start(2), found.end(2), found.end()
        if value_start < 0:
            value_start = following
            end = _container_end(text, value_start)
            following = _after_comma(text, end)
        if b"\\" in key:
            key = json.dumps(json.loads(key)).encode()
        if keys is None or key in keys:
            yield key, Member(at, found.end(1), value_start, end, following)
        at = following


def elements(text: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where each element of the JSON array that begins at `start` begins and ends."""
    at = after_space(text, after_space(text, start) + 1)
    while text[at] not in _CLOSING:
        scalar = _scalar(text, at)
        end = _container_end(text, at) if scalar is None else scalar.end()
        yield at, end
        at = _after_comma(text, end)


def after_space(text: bytes, at: int) -> int:
    """Return where the white space that may stand at `at` ends."""
    return _space(text, at).end()  # type: ignore[union-attr]  # the pattern matches anywhere


def _after_comma(text: bytes, end: int) -> int:
    """Return where the next key or element begins, or where the closing bracket stands."""
    return _comma(text, end).end()  # type: ignore[union-attr]  # the pattern matches anywhere


def _container_end(text: bytes, start: int) -> int:
    depth = 0
    for token in _tokens(text, start):
        first = text[token.start()]
        if first in b"{[":
            depth += 1
        elif first in _CLOSING:
            depth -= 1
            if depth == 0:
                return token.end()
    raise ValueError("the text is not valid JSON")
