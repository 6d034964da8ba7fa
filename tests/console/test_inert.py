"""Whatever an event holds is shown as what it is, and does nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.inert import MOST_CHARACTERS, inert, json_or_bytes


@given(st.text(st.characters()), st.integers(0, 100))
def test_nothing_is_left_that_is_not_seen_or_turns_what_is(text: str, most: int) -> None:
    shown = inert(text, most)
    assert all(each.isprintable() or each == "\n" for each in shown)
    assert shown.endswith("…") or len(text) <= most
    if text.isprintable() and len(text) <= most:
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", r"a\u202eb"),
        ("\x00\x1b\x7f", r"\u0000\u001b\u007f"),
        ("\ud83d", r"\ud83d"),
        ("\u200d\u2066\ufeff", r"\u200d\u2066\ufeff"),
        ("\U000e0001", r"\udb40\udc01"),
        ("a\nb\tc", r"a" + "\n" + r"b\u0009c"),
        ("é😀 שלום", "é😀 שלום"),
    ],
)
def test_escapes_are_those_of_json(text: str, shown: str) -> None:
    assert inert(text) == shown


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_laid_out_and_means_the_same(value: object) -> None:
    for data in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode(errors="replace")):
        shown = json_or_bytes(data)
        assert shown.note == ""
        assert json.loads(shown.text) == json.loads(data)


def test_numbers_and_duplicates_stay_as_they_were_sent() -> None:
    data = b'{"a":1.10,"b":123456789012345678901234567890,"a":1e2}'
    assert json_or_bytes(data).text == (
        '{\n  "a": 1.10,\n  "b": 123456789012345678901234567890,\n  "a": 1e2\n}'
    )


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"{", b"NaN", b'"\xff"', b"a\xe2\x80\xae"])
def test_what_is_no_json_says_so(data: bytes) -> None:
    shown = json_or_bytes(data)
    assert shown.note == "This is no JSON."
    assert all(each.isprintable() for each in shown.text)


def test_what_is_long_is_cut_and_says_how_long_it_is() -> None:
    for data in (b'"' + b"x" * 10_000_000 + b'"', b"\xff" * 10_000_000, "é".encode() * 100_000):
        shown = json_or_bytes(data)
        assert len(shown.text) == MOST_CHARACTERS + 1
        assert shown.note.endswith(
            f"Shown are the first {MOST_CHARACTERS:,} characters; it has {len(data):,} bytes."
        )
    many = json.dumps(list(range(20_000))).encode()  # each gets a line, so it is longer than it was
    assert f"it has {len(many):,} bytes" in json_or_bytes(many).note


def test_deep_json_is_not_laid_out() -> None:
    """Each level indents all the lines within it: it would take memory many times over."""
    for levels in (100, 900, 50_000):
        data = b"[" * levels + b"1" + b",1" * 30_000 + b"]" * levels
        assert "\n" not in json_or_bytes(data).text
