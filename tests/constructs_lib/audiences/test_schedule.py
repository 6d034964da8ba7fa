"""When an audience is missed."""

import pytest

from constructs_lib.audiences.schedule import check_schedule, stale_hours


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(15 minutes)", 2),
        ("rate(30 minutes)", 2),
        ("rate(31 minutes)", 3),
        ("rate(1 hour)", 3),
        ("rate(6 hours)", 13),
        ("rate(1 day)", 49),
        ("rate(3 days)", 145),
        ("rate(83 hours)", 167),
    ],
)
def test_a_rate_is_missed_after_twice_its_time_and_an_hour(expression: str, hours: int) -> None:
    check_schedule(expression, "UTC")
    assert stale_hours(expression, None) == hours


@pytest.mark.parametrize("given", [0, 1, 168])
def test_what_is_given_is_what_counts(given: int) -> None:
    assert stale_hours("rate(7 days)", given) == stale_hours("cron(0 6 * * ? *)", given) == given


def test_a_rate_that_an_alarm_cannot_look_back_for_has_to_be_told() -> None:
    with pytest.raises(ValueError, match="168 at most, which is as far back as an alarm looks"):
        stale_hours("rate(84 hours)", None)
