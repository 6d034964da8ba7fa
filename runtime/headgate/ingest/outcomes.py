"""What became of requests and events: counted in one place, and what goes wrong logged once in a while."""

import logging
from collections import Counter
from enum import StrEnum

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 60.0


class Kind(StrEnum):
    """What may become of events, or of a request whose events nobody counted."""

    ACCEPTED = "accepted"
    """Durable in every destination."""
    DISABLED = "disabled"
    """Accepted and dropped: the source, or each of its destinations, is disabled."""
    EXCLUDED = "excluded"
    """Accepted and dropped: the event's `integrations` keep it out of Amazon Kinesis."""
    REJECTED = "rejected"
    """The event is none, or can never be delivered; the code says why."""
    RATE_LIMITED = "rate_limited"
    """Above the source's rate; the client was asked to wait."""
    REFUSED = "refused"
    """Not taken for delivery: a destination is paused or full; the code says which."""
    UNAVAILABLE = "unavailable"
    """Taken, but not durable in time; the code says why."""
    FOREIGN_ORIGIN = "foreign_origin"
    """A request from a page that its source does not allow."""
    UNKNOWN_KEY = "unknown_key"
    """A request without a write key, or with one of no source."""
    UNREADABLE = "unreadable"
    """A request that is no HTTP, too large, too slow or not what its path takes; the code is its status."""
    PIXEL_LOST = "pixel_lost"
    """The event of a pixel was not accepted; the client got its image all the same."""


_LOGGED = {
    Kind.REJECTED: "events rejected",
    Kind.RATE_LIMITED: "events above their source's rate",
    Kind.FOREIGN_ORIGIN: "requests from pages that their source does not allow",
    Kind.UNKNOWN_KEY: "requests without a known write key",
    Kind.UNREADABLE: "requests that could not be read",
    Kind.PIXEL_LOST: "events of pixels lost",
}
"""What only ingest knows of; delivery has its own lines for what fails there."""

Key = tuple[Kind, str | None, str | None]


class Outcomes:
    """All that became of what came in, by kind, source and code."""

    def __init__(self) -> None:
        self.totals: Counter[Key] = Counter()
        """Since the process started."""
        self._logged: Counter[Key] = Counter()
        self._logged_at: dict[tuple[Kind, str | None], float] = {}

    def count(self, kind: Kind, source_id: str | None, events: int = 1, code: str | None = None) -> None:
        """Count events, or one request."""
        self.totals[kind, source_id, code] += events

    def report(self, now: float) -> None:
        """Log what went wrong since the last line of its kind and source, at most once a minute each.

        Args:
            now: seconds of any clock that only goes forward.
        """
        fresh: dict[tuple[Kind, str | None], Counter[str]] = {}
        for (kind, source_id, code), total in self.totals.items():
            if kind in _LOGGED and (more := total - self._logged[kind, source_id, code]):
                fresh.setdefault((kind, source_id), Counter())[code or ""] = more
        for (kind, source_id), codes in fresh.items():
            at = self._logged_at.get((kind, source_id))
            if at is not None and now - at < LOG_EVERY_SECONDS:
                continue
            self._logged_at[kind, source_id] = now
            named = {code: count for code, count in codes.items() if code}
            log.warning(
                _LOGGED[kind], extra={"source": source_id, "count": codes.total(), "codes": named or None}
            )
            for code in codes:
                self._logged[kind, source_id, code or None] = self.totals[kind, source_id, code or None]
