"""Times as the Spec has them: ISO 8601 in UTC with milliseconds, and the correction of a client's clock."""

from datetime import UTC, datetime, timedelta

import msgspec

_encode = msgspec.json.Encoder().encode
_LONGEST = 64
_WITH_MICROSECONDS = len('"2026-01-31T23:59:59.123456Z"')


def parse(text: str) -> datetime | None:
    """Return the moment that an ISO 8601 text names, in UTC; None where it names none.

    A text without an offset is taken as UTC, one without a time as midnight, as Segment takes them. Digits
    past the microsecond are dropped. A count of seconds or milliseconds names no moment: some of them could
    be read as a date without its hyphens. Nor does a text of more than 64 characters.
    """
    if "-" not in text or len(text) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def render(moment: datetime) -> bytes:
    """Return a moment in UTC as JSON: `"2026-01-31T23:59:59.123Z"`. Microseconds are cut off."""
    # msgspec writes a datetime in a tenth of the time that isoformat() takes, with six digits or with none.
    text = _encode(moment)
    return text[:24] + b'Z"' if len(text) == _WITH_MICROSECONDS else text[:20] + b'.000Z"'


def corrected(original: str, lag: timedelta, received: datetime) -> datetime:
    """Return when an event happened by the server's clock.

    Segment's formula, `receivedAt - (sentAt - originalTimestamp)`, is `originalTimestamp + lag`.

    Args:
        original: the event's `originalTimestamp`; `received` stands for one that cannot be read.
        lag: `receivedAt - sentAt`: how far the client's clock is behind, and how long the request took.
        received: `receivedAt`; it also stands for a sum outside the calendar.
    """
    moment = parse(original)
    if moment is None:
        return received
    try:
        return moment + lag
    except OverflowError:
        return received
