"""The point in a stream where reading begins. Pure: the clock's time is passed in."""

import re
from datetime import UTC, datetime, timedelta

from headgate.errors import UsageError

_DURATION = re.compile(r"(\d+)([smhd])", re.ASCII)
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

TRIM_HORIZON = None
"""The oldest record that the stream still has, as Kinesis calls it."""


def parse_since(text: str, now: datetime) -> datetime | None:
    """Return the instant to read from, or `TRIM_HORIZON`.

    Args:
        text: a duration before `now` (`90s`, `10m`, `2h`, `1d`), an ISO 8601 timestamp (UTC where it names no
            offset) or `trim-horizon`.
        now: the present, with its offset.

    Raises:
        UsageError: the text is none of these, or names an instant that is still to come.
    """
    if text.lower() == "trim-horizon":
        return TRIM_HORIZON
    return parse_instant("--since", text, now, or_else=", or trim-horizon")


def parse_instant(option: str, text: str, now: datetime, *, or_else: str = "") -> datetime:
    """Return an instant that an option names by a duration before `now`, or by an ISO 8601 timestamp.

    Args:
        option: the option.
        text: what it was given.
        now: the present, with its offset.
        or_else: what else it allows.

    Raises:
        UsageError: the text is neither, or names an instant that is still to come.
    """
    try:
        if duration := _DURATION.fullmatch(text):
            return now - timedelta(**{_UNIT[duration[2]]: int(duration[1])})
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option}: {text!r} is no point in time; "
            f"allowed: a duration as 90s, 10m, 2h or 1d, {'' if or_else else 'or '}"
            f"a timestamp as 2026-01-31T09:00:00Z{or_else}"
        ) from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if instant > now:
        raise UsageError(
            f"{option}: {text!r} is still to come; it is {now.isoformat(timespec='seconds')} now"
        )
    return instant
