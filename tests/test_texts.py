"""Texts as people read them."""

import pytest

from headgate.texts import age, printable


def test_a_partition_key_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202e\x9bc é🎉") == "a\\x1b[2Jb\\u202e\\x9bc é🎉"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59, "59 s"), (90, "2 min"), (5_400, "1.5 h"), (86_400, "1.0 d"), (1e6, "11.6 d")],
)
def test_an_age_is_told_in_the_largest_unit_that_it_fills(seconds: float, said: str) -> None:
    assert age(seconds) == said
