import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.spec.json_text import deeper, shadow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'"\ud83d"', rb'"\ufffd"'),
        (rb'"\ude00"', rb'"\ufffd"'),
        (rb'"\uD83D\uDE00"', rb'"\uD83D\uDE00"'),
        (rb'"\ude00\ud83d"', rb'"\ufffd\ufffd"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\ud83dx\ude00"', rb'"\ufffdx\ufffd"'),
        (rb'"\\ud83d"', rb'"\\ud83d"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
        (rb'"\ud83d\\ude00"', rb'"\ufffd\\ude00"'),
        (rb'"\u00e9\ud7ff\ue000"', rb'"\u00e9\ud7ff\ue000"'),
    ],
)
def test_only_lone_surrogates_are_replaced(text: bytes, expected: bytes) -> None:
    assert shadow(text) == expected


@given(st.lists(st.text(st.characters(), max_size=9) | st.text(st.characters(categories=["Cs"]))))
def test_the_shadow_of_whatever_python_writes_says_the_same_but_for_lone_surrogates(texts: list[str]) -> None:
    written = json.dumps([*texts, "".join(texts)]).encode()
    copy = shadow(written)
    assert len(copy) == len(written)
    assert msgspec.json.decode(copy) == [
        "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text)
        for text in json.loads(written)
    ]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"1", 0),
        (b"[]", 1),
        (b'{"a":[{"b":"]]]]"}]}', 3),
        (b"[" * 9 + b"]" * 9, 9),
        (b"[[],[],[],[],[],[],[]]", 2),
        (rb'{"\"[[[[[[":"\\"}', 1),
    ],
)
def test_the_depth_of_a_text_is_that_of_its_brackets_outside_strings(text: bytes, depth: int) -> None:
    assert not deeper(text, depth)
    assert depth == 0 or deeper(text, depth - 1)
