"""JSON as text: what is valid and msgspec does not take, and how deep it is nested."""

import re
from itertools import accumulate

STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
"""A string, with its quotes, in text that is valid JSON; to be compiled with `re.DOTALL`."""

_HIGH = rb"u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
# Taken from left to right, each match is one whole escape, so a backslash that is itself escaped starts none.
_ESCAPE = re.compile(rb"\\(?:" + _HIGH + rb"\\" + _LOW + rb"|(" + _HIGH + rb"|" + _LOW + rb")|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"

_STRINGS = re.compile(STRING, re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEP = {0x7B: 1, 0x5B: 1, 0x7D: -1, 0x5D: -1}


def shadow(text: bytes) -> bytes:
    r"""Return `text` with U+FFFD in the place of every lone surrogate, all else as it is and where it is.

    `"\ud83d"` is valid JSON, if no valid Unicode: it is what a browser makes of an emoji cut in two. msgspec
    takes no such text, but it takes its shadow, in which every member stands at the same offset.
    """
    return _ESCAPE.sub(lambda escape: _REPLACEMENT if escape[1] else escape[0], text)


def deeper(text: bytes, levels: int) -> bool:
    """Return whether the valid JSON `text` is nested deeper than `levels`."""
    # Each level takes two brackets: most texts need no more than a look at their length.
    if len(text) <= 2 * levels or text.count(b"{") + text.count(b"[") <= levels:
        return False
    brackets = _STRINGS.sub(b"", text).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > levels
