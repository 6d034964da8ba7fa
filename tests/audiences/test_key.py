"""The key of an audience or a computed trait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.audiences.key import key_of
from headgate.errors import UsageError


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Order completed last 30days", "order_completed_last_30days"),
        ("First Purchase: Opened Email", "first_purchase__opened_email"),
        ("total_revenue_180_days", "total_revenue_180_days"),
        ("  A  ", "__a__"),
        ("Käufer 😀 VIP", "k_ufer___vip"),
    ],
)
def test_a_key_is_the_name_in_lower_case_with_one_underscore_for_each_other_character(
    name: str, key: str
) -> None:
    assert key_of(name) == key
    assert key_of(key) == key


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a letter or a digit"),
        ("---", "'---' has no key"),
        ("客户", "needs a letter or a digit"),
        ("a" * 256, "allowed: 255"),
    ],
)
def test_a_name_without_letters_or_that_is_too_long_has_none(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        key_of(name)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=300))
def test_whatever_the_name_a_key_is_of_these_characters_and_no_longer_than_allowed(name: str) -> None:
    try:
        key = key_of(name)
    except UsageError:
        return
    assert 0 < len(key) <= 255
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
