"""What became of requests and events: counted in one place, and what goes wrong logged once in a while."""

import logging
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.status.report import SourceStatus

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 60.0


class Kind(StrEnum):
    """What may become of events, or of requests."""

    ACCEPTED = "accepted"
    """Events that delivery took: they are queued or safe."""
    EXCLUDED = "excluded"
    """Events that a destination does not get: it or its source is disabled, its `event_types` leave them out,
    or their `integrations` do."""
    REJECTED = "rejected"
    """Events that are none; the code says why."""
    UNDELIVERABLE = "undeliverable"
    """Events that delivery took and that no stream will ever take; the code says why."""
    RATE_LIMITED = "rate_limited"
    """Requests above their source's rate."""
    REFUSED = "refused"
    """Requests answered 429, because what they need is full; the code says what."""
    UNAVAILABLE = "unavailable"
    """Requests answered 503: a destination is paused, or the deadline came first; the code says which."""
    FOREIGN_ORIGIN = "foreign_origin"
    """Requests from pages that their source does not allow."""
    UNKNOWN_KEY = "unknown_key"
    """Requests without a write key, or with one of no source."""
    UNREADABLE = "unreadable"
    """Requests that are no HTTP, too large, too slow or not what their path takes; the code is the status."""
    PIXEL_LOST = "pixel_lost"
    """Events of pixels that were not accepted or not safe; their clients got the image all the same."""


_METRICS = {
    Kind.ACCEPTED: names.ACCEPTED_EVENTS,
    Kind.REJECTED: names.REJECTED_EVENTS,
    Kind.RATE_LIMITED: names.RATE_LIMITED_REQUESTS,
    Kind.REFUSED: names.REFUSED_REQUESTS,
    Kind.UNAVAILABLE: names.UNAVAILABLE_REQUESTS,
    Kind.PIXEL_LOST: names.LOST_PIXEL_EVENTS,
}

_LOGGED = {
    Kind.REJECTED: "events rejected",
    Kind.RATE_LIMITED: "requests above their source's rate",
    Kind.FOREIGN_ORIGIN: "requests from pages that their source does not allow",
    Kind.UNKNOWN_KEY: "requests without a known write key",
    Kind.UNREADABLE: "requests that could not be read",
    Kind.PIXEL_LOST: "events of pixels lost",
}
"""What only ingest knows of; delivery has its own lines for what fails there."""

Key = tuple[Kind, str | None, str | None]


class Outcomes:
    """All that became of what came in, by kind, source and code.

    Args:
        metrics: where CloudWatch's counters are, without sources, which are many.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, metrics: Metrics, now: Callable[[], float]) -> None:
        self.now = now
        self.totals: Counter[Key] = Counter()
        """Since the process started. What is excluded stands under its destination's name."""
        self._metrics = metrics
        self._counters = {kind: metrics.counter(metric) for kind, metric in _METRICS.items()}
        self._accepted = self._counters[Kind.ACCEPTED]
        self._latency = metrics.distribution(names.ACKNOWLEDGEMENT_LATENCY)
        self._logged: Counter[Key] = Counter()
        self._logged_at: dict[tuple[Kind, str | None], float] = {}

    def accepted(self, source_id: str, events: int) -> None:
        """Count events that delivery took: what `count` does, for what happens most."""
        self.totals[Kind.ACCEPTED, source_id, None] += events
        self._accepted.value += events

    def count(self, kind: Kind, source_id: str | None, more: int = 1, code: str | None = None) -> None:
        """Count events or requests, as the kind says."""
        self.totals[kind, source_id, code] += more
        if kind in self._counters:
            self._counters[kind].value += more

    def excluded(self, destination: str, events: int) -> None:
        """Count events that a destination does not get."""
        self.totals[Kind.EXCLUDED, destination, None] += events
        self._metrics.counter(names.EXCLUDED_EVENTS, destination).value += events

    def answered(self, begun: float) -> None:
        """Note that a request that delivery took is answered now; it began at `begun`."""
        self._latency.observe((self.now() - begun) * 1000)

    @property
    def sources(self) -> dict[str, SourceStatus]:
        """What each source sent since the process started."""
        statuses: dict[str, SourceStatus] = {}
        for (kind, source_id, code), total in self.totals.items():
            if kind in (Kind.ACCEPTED, Kind.REJECTED) and source_id is not None:
                status = statuses.setdefault(source_id, SourceStatus())
                if kind is Kind.ACCEPTED:
                    status.accepted = total
                else:
                    status.rejected[code or ""] = total
        return statuses

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
