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


def around(text: bytes, key: bytes, *, plain: bool) -> list[bytes]:
    """Return the pieces of the object `text` before, between and after its top-level keys `key`."""
    pieces = text.split(key, 2)
    if plain and len(pieces) == 2:
        return pieces
    pieces, taken = [], 0
    for _, member in members(text, (key,)):
        pieces.append(text[taken : member.start])
        taken = member.key_end
    pieces.append(text[taken:])
    return pieces


def remove(text: bytes, *keys: bytes, plain: bool) -> bytes:
    """Return the object `text` without its members of these keys, each with the comma after it.

    The last member of an object goes with the comma before it.
    """
    left = set()
    for key in keys:
        pieces = text.split(key, 2)
        if plain and len(pieces) == 2 and (value := _scalar_and_comma(pieces[1])) is not None:
            before = pieces[0] if value[1] is not None else _without_comma(pieces[0])
            text = before + pieces[1][value.end() :]
        else:
            left.add(key)
    return _remove_exactly(text, left) if left else text


def prepend(text: bytes, key: bytes, added: bytes, *, plain: bool) -> bytes:
    """Return the object `text` with members added at the start of the object that is its member `key`.

    Args:
        text: an object with such a member, whose value is an object; of several the last counts.
        key: the member's key.
        added: one or more members, as JSON text without a comma around them.
        plain: whether the text is plain, as `is_plain` says.
    """
    pieces = text.split(key, 2)
    if plain and len(pieces) == 2:
        before, after = pieces
        # A quote after the bracket: the object is not empty, and a comma has to follow.
        if after.startswith(b':{"'):
            return b"%b%b:{%b,%b" % (before, key, added, after[2:])
        if after.startswith(b': {"'):
            return b"%b%b: {%b,%b" % (before, key, added, after[3:])
    first = last(text, key).value_start + 1
    comma = b"" if text[after_space(text, first)] == _CLOSING else b","
    return text[:first] + added + comma + text[first:]


def last(text: bytes, key: bytes) -> Member:
    """Return the member of the key `key` that counts where it stands more than once."""
    *_, (_, member) = members(text, (key,))
    return member


def _remove_exactly(text: bytes, keys: set[bytes]) -> bytes:
    pieces, taken = [], 0
    for _, member in members(text, keys):
        pieces.append(text[taken : member.start])
        taken = member.next
    kept = b"".join(pieces)
    return (_without_comma(kept) if text[taken] == _CLOSING else kept) + text[taken:]


def _without_comma(before: bytes) -> bytes:
    return before.rstrip(_SPACE).removesuffix(b",")
