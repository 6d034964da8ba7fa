from typing import Any

import pytest

from headgate.errors import SettingsError
from headgate.settings.table.layout import SOURCE, history_place, kept_in, key

ITEM: dict[str, Any] = key(SOURCE, "web") | {
    "settings": {"S": '{"id": "web", "write_keys": ["k"], "destinations": [{"stream_name": "e"}]}'},
    "number": {"N": "7"},
    "changed_at": {"S": "2026-01-02T03:04:05Z"},
    "changed_by": {"S": "arn:me"},
}


def test_an_item_is_a_source_and_what_is_known_of_its_last_change() -> None:
    kept = kept_in(ITEM, where="t")
    assert (kept.source.id, kept.source.destinations[0].stream_name) == ("web", "e")
    assert (kept.number, kept.changed_at, kept.changed_by) == (7, "2026-01-02T03:04:05Z", "arn:me")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{", "t: the source 'web': not valid JSON"),
        (
            '{"id": "other", "write_keys": ["k"], "destinations": [{"stream_name": "e"}]}',
            "have the id 'other'",
        ),
        (
            '{"id": "web", "write_keys": ["k"], "destinations": [{"stream_name": "e", "ordering": "none"}]}',
            "t: the source 'web': destinations[1] ('e').ordering: ",
        ),
    ],
)
def test_an_item_that_is_not_valid_is_named_with_the_field(settings: str, said: str) -> None:
    made = ITEM | {"settings": {"S": settings}}
    with pytest.raises(SettingsError) as refused:
        kept_in(made, where="t")
    assert said in str(refused.value)


def test_an_item_of_somebody_elses_is_named() -> None:
    with pytest.raises(SettingsError, match="t: the item of the source 'web' is none of headgate settings"):
        kept_in({"pk": {"S": SOURCE}, "sk": {"S": "web"}}, where="t")


def test_places_in_the_history_sort_as_numbers_do() -> None:
    numbers = [(1, 0), (1, 32), (2, 0), (10, 0), (999, 99), (10**9, 0)]
    assert sorted(history_place(*each) for each in numbers) == [history_place(*each) for each in numbers]
