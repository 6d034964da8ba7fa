"""Letters as the page shows them."""

from headgate.console.letters.texts import cut, letter_row
from headgate.overflow.dead_letters import UNREADABLE
from tests.overflow.letters import a_letter


def test_a_text_is_cut_before_it_is_escaped() -> None:
    assert cut("ab\x00d", 3) == "ab\\x00…"
    assert cut("abc", 3) == "abc"


def test_a_row_names_the_event_and_of_what_is_none_nothing() -> None:
    row = letter_row(7, a_letter(data=b'{"type":"track","event":"Order","messageId":"m"}'))
    assert (row.place, row.kind, row.message_id, row.key, row.size) == (7, "track Order", "m", "user-1", "48")
    row = letter_row(1, a_letter(None, "", b'{"type":', code=UNREADABLE))
    assert (row.kind, row.message_id, row.key) == ("", "", "")
