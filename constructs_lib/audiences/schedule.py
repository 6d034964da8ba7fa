"""When an audience is synced, and for how long it may then go without."""

import re
from math import ceil

from constructs_lib.checks import check_integer, known

STALE_HOURS = (0, 168)
"""How far back an alarm looks whose periods are hours: seven days. 0 is for no alarm."""

_RATE = re.compile(r"rate\(([1-9]\d{0,5}) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(\S+( \S+){5}\)")
_TIME_ZONE = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+){0,2}", re.ASCII)
_HOURS = {"minute": 1 / 60, "hour": 1, "day": 24}


def check_schedule(expression: str, time_zone: str) -> None:
    """Refuse what EventBridge Scheduler would, or would run once alone.

    Raises:
        ValueError: names the prop, its value and what is allowed.
    """
    if known(expression) and not _RATE.fullmatch(expression) and not _CRON.fullmatch(expression):
        raise ValueError(
            f"schedule: {expression!r} is not allowed; it is a rate, as rate(1 hour), or six fields, as "
            "cron(0 6 * * ? *)"
        )
    if known(time_zone) and not _TIME_ZONE.fullmatch(time_zone):
        raise ValueError(f"time_zone: {time_zone!r} is not allowed; it is a name, as UTC or Europe/Berlin")


def stale_hours(expression: str, given: int | None) -> int:
    """Return the whole hours without a sync that are too many, 0 for no such alarm.

    For a rate it is twice that and an hour: one sync that failed is an alarm of its own, two are this one.

    Raises:
        ValueError: `given` is out of range, or missing where no rate says it or the rate's is out of range.
    """
    low, high = STALE_HOURS
    check_integer("stale_after_hours", given, low, high, unit=" of hours")
    if given is not None:
        return given
    rate = _RATE.fullmatch(expression)
    hours = ceil(2 * int(rate[1]) * _HOURS[rate[2]]) + 1 if rate else None
    if hours is None or hours > high:
        raise ValueError(
            f"stale_after_hours: {expression} does not say it; give the hours without a sync that are too "
            f"many, {high} at most, which is as far back as an alarm looks, or 0 for no such alarm"
        )
    return hours
