"""Content of events as a page may show it: nothing in it acts, hides or reorders, and it has an end. Pure.

Templates escape markup; what is left is what the eye does not see or is misled by: control characters, marks
that turn the direction of writing, halves of surrogate pairs, and length.
"""

from dataclasses import dataclass

import msgspec

from headgate.reading.record import event_in
from headgate.spec.json_text import deeper

MOST_CHARACTERS = 50_000
"""Of one text on a page; an event that the forwarder takes has 32,768 bytes."""
_MOST_LAID_OUT = 128 * 1024
_MOST_LEVELS = 64
"""Of JSON that is laid out: each level indents every line in it, so deep JSON grows many times over."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text on a page."""

    text: str
    note: str = ""
    """What there is to know of it: that it is no JSON, that it is not whole."""


def inert(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text with escapes for what is not seen, and `…` for what is beyond so many characters."""
    rest, text = len(text) > most, text[:most]
    if not text.isprintable():
        text = "".join(each if each.isprintable() or each == "\n" else _escape(each) for each in text)
    return text + "…" if rest else text


def json_or_bytes(data: bytes) -> Shown:
    """Return data as it is to be read: JSON laid out over lines, anything else as text with escapes."""
    is_json = event_in(data) is not None
    whole = _laid_out(data) if is_json else _beginning(data, "backslashreplace")
    notes = [] if is_json else ["This is no JSON."]
    if len(whole) > MOST_CHARACTERS:
        notes.append(f"Shown are the first {MOST_CHARACTERS:,} characters; it has {len(data):,} bytes.")
    return Shown(inert(whole), " ".join(notes))


def _laid_out(data: bytes) -> str:
    """Return JSON with a line for each member, byte for byte otherwise; as it is where that is too much."""
    if len(data) <= _MOST_LAID_OUT and not deeper(data, _MOST_LEVELS):
        try:
            return msgspec.json.format(data, indent=2).decode()
        except msgspec.DecodeError:  # half of a surrogate pair, which JSON allows
            pass
    return _beginning(data, "ignore")


def _beginning(data: bytes, errors: str) -> str:
    """Return the text of data; of long data its beginning, more of it than is shown."""
    return data[: 4 * (MOST_CHARACTERS + 1)].decode(errors=errors)


def _escape(character: str) -> str:
    """Return a character as JSON may write it."""
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
