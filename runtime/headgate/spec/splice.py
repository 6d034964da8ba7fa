"""Changes to the members of a JSON object, made in its text: all that is not named stays byte for byte.

Keys are given as JSON usually writes them, with their quotes, `b'"timestamp"'`, and are ASCII letters. Each
function has a quick way and an exact way, which give the same bytes. The quick way searches the text for
the key, and rests on one argument:

1. The caller has decoded the object and knows that it has a top-level member of that key.
2. The text is plain: no ASCII letter in it is written as an escape, so this member's key is written as given.
3. The text holds the key once. So this occurrence is that member's key, and no other key or value.

Where 2 or 3 does not hold (a nested `timestamp`, a duplicate, a value "timestamp"), the exact way reads the
object member by member.
"""

import re
from collections.abc import Collection

from headgate.spec.json_text import STRING
from headgate.spec.members import Member, after_space, members

_SPACE = b" \t\n\r"
_BACKSLASH = 0x5C
_CLOSING = 0x7D
_letter_escape = re.compile(rb"\\u00[4-7]").search
_scalar_and_comma = re.compile(
    rb"[ \t\n\r]*:[ \t\n\r]*(?:" + STRING + rb'|[^"{\[,\]} \t\n\r]+)[ \t\n\r]*(,[ \t\n\r]*)?', re.DOTALL
).match


def is_plain(text: bytes) -> bool:
    r"""Return whether no ASCII letter in `text` is written as an escape, as `t` is in `"\u0074imestamp"`."""
    return _BACKSLASH not in text or _letter_escape(text) is None


def rename(text: bytes, key: bytes, new: bytes, *, added: bytes, plain: bool) -> bytes:
    """Return the object `text` with its members `key` called `new`, and with members added at its end.

    Args:
        text: an object with such a member, without white space after it.
        key: the member's key.
        new: its new key.
        added: one or more members, as JSON text with a comma before each.
        plain: whether the text is plain, as `is_plain` says.
    """
    halves = text.split(key, 2)
    if plain and len(halves) == 2:
        return b"".join((halves[0], new, halves[1][:-1], added, b"}"))
    pieces, taken = [], 0
    for _, member in members(text, (key,)):
        pieces.append(text[taken : member.start])
        taken = member.key_end
    pieces.append(text[taken:-1])
    return b"%b%b}" % (new.join(pieces), added)


def remove(text: bytes, *keys: bytes, plain: bool) -> bytes:
    """Return the object `text` without its members of these keys, each with the comma after it.

    The last member of an object goes with the comma before it.
    """
    left = []
    for key in keys:
        halves = text.split(key, 2)
        if plain and len(halves) == 2:
            before, after = halves
            if (value := _scalar_and_comma(after)) is not None:
                before = before if value.lastindex else _without_comma(before)
                text = before + after[value.end() :]
                continue
        left.append(key)
    return _remove_exactly(text, left) if left else text


def prepend(text: bytes, key: bytes, added: bytes, *, plain: bool) -> bytes:
    """Return the object `text` with members added at the start of the object that is its member `key`.

    Args:
        text: an object with such a member, whose value is an object; of several the last counts.
        key: the member's key.
        added: one or more members, as JSON text without a comma around them.
        plain: whether the text is plain, as `is_plain` says.
    """
    halves = text.split(key, 2)
    if plain and len(halves) == 2:
        before, after = halves
        # A quote after the bracket: the object is not empty, and a comma has to follow.
        if after.startswith(b':{"'):
            return b"".join((before, key, b":{", added, b",", after[2:]))
        if after.startswith(b': {"'):
            return b"".join((before, key, b": {", added, b",", after[3:]))
    first = last(text, key).value_start + 1
    comma = b"" if text[after_space(text, first)] == _CLOSING else b","
    return text[:first] + added + comma + text[first:]


def last(text: bytes, key: bytes) -> Member:
    """Return the member of the key `key` that counts where it stands more than once."""
    *_, (_, member) = members(text, (key,))
    return member


def _remove_exactly(text: bytes, keys: Collection[bytes]) -> bytes:
    pieces, taken = [], 0
    for _, member in members(text, keys):
        pieces.append(text[taken : member.start])
        taken = member.next
    kept = b"".join(pieces)
    return (_without_comma(kept) if text[taken] == _CLOSING else kept) + text[taken:]


def _without_comma(before: bytes) -> bytes:
    return before.rstrip(_SPACE).removesuffix(b",")
