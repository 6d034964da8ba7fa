"""What ingest counts: for CloudWatch without sources, which are many, and for `/statusz` by source."""

from collections.abc import Callable, Sequence

from headgate.ingest.messages import Answer
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.status.report import SourceStatus


class IngestCounts:
    """The counters of one process."""

    def __init__(self, metrics: Metrics, now: Callable[[], float]) -> None:
        self.now = now
        self.sources: dict[str, SourceStatus] = {}
        self.rate_limited = metrics.counter(names.RATE_LIMITED_REQUESTS)
        self._metrics = metrics
        self._accepted = metrics.counter(names.ACCEPTED_EVENTS)
        self._rejected = metrics.counter(names.REJECTED_EVENTS)
        self._refused = metrics.counter(names.REFUSED_REQUESTS)
        self._unavailable = metrics.counter(names.UNAVAILABLE_REQUESTS)
        self._latency = metrics.distribution(names.ACKNOWLEDGEMENT_LATENCY)

    def accepted(self, source_id: str, events: int) -> None:
        """Count events that delivery took."""
        self._accepted.value += events
        self._of(source_id).accepted += events

    def rejected(self, source_id: str, codes: Sequence[str]) -> None:
        """Count events that are none, each by its code."""
        self._rejected.value += len(codes)
        by_code = self._of(source_id).rejected
        for code in codes:
            by_code[code] = by_code.get(code, 0) + 1

    def excluded(self, destination: str, events: int) -> None:
        """Count events that a destination does not get."""
        self._metrics.counter(names.EXCLUDED_EVENTS, destination).value += events

    def settled(self, answer: Answer, begun: float) -> Answer:
        """Count a request that delivery took and that is answered now; return its answer."""
        self._latency.observe((self.now() - begun) * 1000)
        return answer if answer.retry_after is None else self.unavailable(answer)

    def unavailable(self, answer: Answer) -> Answer:
        """Count a request of which nothing is acknowledged; return its answer."""
        (self._refused if answer.status == 429 else self._unavailable).value += 1
        return answer

    def _of(self, source_id: str) -> SourceStatus:
        return self.sources.setdefault(source_id, SourceStatus())
