from datetime import UTC, datetime, timedelta, timezone

import pytest

from headgate.errors import UsageError
from headgate.reading.since import TRIM_HORIZON, parse_since

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-03-04T11:00:00Z", NOW - timedelta(hours=1)),
        ("2026-03-04T12:30:00+01:00", datetime(2026, 3, 4, 12, 30, tzinfo=timezone(timedelta(hours=1)))),
        ("2026-03-04T11:00:00", NOW - timedelta(hours=1)),
        ("2026-03-04", NOW - timedelta(hours=12)),
        ("trim-horizon", TRIM_HORIZON),
        ("TRIM-HORIZON", TRIM_HORIZON),
    ],
)
def test_a_point_in_time(text: str, instant: datetime | None) -> None:
    assert parse_since(text, NOW) == instant


@pytest.mark.parametrize(
    "text", ["", "10", "10 m", "-10m", "1.5h", "10w", "soon", "2026-13-01", "99999999999d"]
)
def test_what_is_no_point_in_time_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since: .* allowed: a duration as .* or trim-horizon$") as caught:
        parse_since(text, NOW)
    assert repr(text) in str(caught.value)


def test_the_future_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"'2026-03-04T12:00:01Z' is still to come; it is 2026-03-04T12:00:00"
    ):
        parse_since("2026-03-04T12:00:01Z", NOW)
