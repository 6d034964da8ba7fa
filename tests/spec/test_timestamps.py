from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.spec.timestamps import corrected, parse, render

RECEIVED = datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC)
FIVE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", FIVE),
        ("2026-01-02T03:04:05", FIVE),
        ("2026-01-02 03:04:05", FIVE),
        ("2026-01-02T03:04:05+00:00", FIVE),
        ("2026-01-02T05:04:05+02:00", FIVE),
        ("2026-01-01T21:34:05-05:30", FIVE),
        ("2026-01-02T03:04:05+0000", FIVE),
        ("2026-01-02T03:04:05.678Z", FIVE.replace(microsecond=678_000)),
        ("2026-01-02T03:04:05.678901+00:00", FIVE.replace(microsecond=678_901)),
        ("2026-01-02T03:04:05.6789019Z", FIVE.replace(microsecond=678_901)),
        ("2026-01-02T03:04:05.678901999Z", FIVE.replace(microsecond=678_901)),
        ("2026-01-02T03:04:05.6Z", FIVE.replace(microsecond=600_000)),
        ("2026-01-02", FIVE.replace(hour=0, minute=0, second=0)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999Z", datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("1700000000", None),
        ("1701010312345", None),
        ("-1701010312345", None),
        ("+010000-01-01T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-01-02T03:04:05Z and more", None),
        ("2026-01-02T03:04:05." + "0" * 64 + "Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_every_form_of_a_time_that_sdks_send_is_read(text: str, moment: datetime | None) -> None:
    assert parse(text) == moment


@given(st.text())
def test_a_text_that_is_no_time_is_none_and_no_error(text: str) -> None:
    found = parse(text)
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_written_in_utc_with_three_digits_that_are_cut_not_rounded(moment: datetime) -> None:
    expected = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert render(moment) == f'"{expected}"'.encode()
    assert parse(expected) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas())
def test_a_correction_is_a_sum_and_outside_the_calendar_the_time_of_receipt(
    original: datetime, lag: timedelta
) -> None:
    try:
        expected = original + lag
    except OverflowError:
        expected = RECEIVED
    assert corrected(original.isoformat(), lag, RECEIVED) == expected


def test_an_event_without_a_time_that_can_be_read_happened_when_it_was_received() -> None:
    assert corrected("", timedelta(hours=1), RECEIVED) == RECEIVED
    assert corrected("soon", timedelta(hours=1), RECEIVED) == RECEIVED
