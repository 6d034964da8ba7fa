"""Letters as the page shows them."""

import json

import pytest

from headgate.console.letters.texts import MOST_INDENTED, MOST_SHOWN, content_of, cut, letter_row
from headgate.overflow.dead_letters import UNREADABLE
from tests.overflow.letters import a_letter


def test_an_event_is_indented_and_its_numbers_and_escapes_are_as_they_were_sent() -> None:
    content = content_of(b'{"total":1.10,"n":10000000000000000000000,"lone":"\\ud800","at":"a\xc2\xa0b"}')
    assert content.is_event
    assert not content.notes
    assert '"lone":"\\ud800"' in content.text.replace(": ", ":")
    assert '"total":1.10' in content.text.replace(": ", ":")
    assert "10000000000000000000000" in content.text
    assert "a\\xa0b" in content.text


def test_a_line_break_that_json_lets_pass_breaks_no_line() -> None:
    content = content_of('{"a":"one\u2028two\u0085three"}'.encode())
    assert content.text.split("\n") == ["{", '  "a": "one\\u2028two\\x85three"', "}"]


@pytest.mark.parametrize("size", [MOST_SHOWN, MOST_SHOWN * 4, 10_000_000])
def test_a_long_event_is_cut_and_that_is_said(size: int) -> None:
    data = json.dumps({"a": "x" * size}).encode()
    content = content_of(data)
    assert len(content.text) == MOST_SHOWN
    assert content.notes[-1] == f"Only the first 100,000 characters of {len(data):,} bytes are shown."


def test_an_event_that_indenting_would_make_huge_is_shown_as_it_was_sent() -> None:
    data = b"[" * 500 + b"1," * MOST_INDENTED + b"1" + b"]" * 500
    content = content_of(data)
    assert content.is_event
    assert content.text == data.decode()[:MOST_SHOWN]
    assert "shown as it was sent" in content.notes[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"junk", "junk"),
        (b"\x00\xff\x1b[2J", "\\x00\\xff\\x1b[2J"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"two\r\nlines\n", "two\\r\nlines\n"),
        (b"", ""),
        ("\u202e".encode(), "\\u202e"),
    ],
)
def test_bytes_that_are_no_json_are_text_with_escapes(data: bytes, text: str) -> None:
    content = content_of(data)
    assert not content.is_event
    assert content.text == text
    assert content.notes[0] == f"{len(data):,} bytes that are no JSON; what is no text is escaped."


def test_a_text_is_cut_before_it_is_escaped() -> None:
    assert cut("ab\x00d", 3) == "ab\\x00…"
    assert cut("abc", 3) == "abc"


def test_a_row_names_the_event_and_of_what_is_none_nothing() -> None:
    row = letter_row(7, a_letter(data=b'{"type":"track","event":"Order","messageId":"m"}'))
    assert (row.place, row.kind, row.message_id, row.key, row.size) == (7, "track Order", "m", "user-1", "48")
    row = letter_row(1, a_letter(None, "", b'{"type":', code=UNREADABLE))
    assert (row.kind, row.message_id, row.key) == ("", "", "")
