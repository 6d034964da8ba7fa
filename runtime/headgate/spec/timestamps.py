"""Times as the Spec has them: ISO 8601 in UTC with milliseconds, and the correction of a client's clock."""

from datetime import UTC, datetime


def parse(text: str | None) -> datetime | None:
    """Return the moment that an ISO 8601 text names, in UTC; None where it names none.

    A text without an offset is taken as UTC, as Segment takes it.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def render(moment: datetime) -> str:
    """Return a moment in UTC as `2026-01-31T23:59:59.123Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def corrected(original: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """Return when an event happened by the server's clock: `received - (sent - original)`.

    The client's clock may be wrong, the time between two readings of it is right. What is missing counts
    as no delay; a sum outside the calendar falls back to `received`.
    """
    if original is None:
        return received
    if sent is None:
        return original
    try:
        return received - (sent - original)
    except OverflowError:
        return received
