"""What the forwarder's metrics tell of some seconds, in one form wherever they come from. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Protocol

from headgate.metrics import names
from headgate.status.report import Pause

WATCHED = (
    names.WORKER_RESTARTS,
    names.SETTINGS_FAILURES,
    names.DEAD_LETTERS,
    names.UNDELIVERABLE_RECORDS,
    names.SPILLED_RECORDS,
    names.DRAINED_RECORDS,
    names.QUEUE_FAILURES,
    names.UNAVAILABLE_REQUESTS,
    names.REFUSED_REQUESTS,
    names.RATE_LIMITED_REQUESTS,
    names.LOST_PIXEL_EVENTS,
    names.POSSIBLE_DUPLICATES,
)
"""The counters that are shown as numbers; those of destinations as the sum of all."""
IN_FLIGHT_SECONDS = 1.0
"""A record that has waited for less may be on its way."""


class Percentiles(NamedTuple):
    """Of a distribution, in its unit."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Told:
    """What metrics of the same dimensions tell of a span, by name; what is not there was not told."""

    counts: Mapping[str, float] = field(default_factory=dict)
    """Counters: what came in during the span."""
    gauges: Mapping[str, float] = field(default_factory=dict)
    """As they were at its end."""
    latencies: Mapping[str, Percentiles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """What was told of some seconds."""

    at: float
    """When it ended, in seconds since 1970."""
    seconds: float | None
    """How long it was; None where there is nothing to compare with, so that nothing counted is known."""
    service: Told
    destinations: Mapping[str, Told]
    """By source ID, slash, stream name."""
    accepted: Mapping[str, float] | None = None
    """Events by source ID; None where sources are not told of."""

    def per_minute(self, count: float) -> float | None:
        """Return a count as a rate; None where nothing counted is known."""
        return count * 60 / self.seconds if self.seconds is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One instant of the plots. None is a gap: nobody knows."""

    at: float
    """Seconds since 1970."""
    events: float | None = None
    """Accepted events per minute."""
    rejected: float | None = None
    """Rejected events per minute."""
    share: float | None = None
    """The delivered share, 0 to 1; None too while there is nothing to deliver."""
    acknowledged_p50: float | None = None
    acknowledged_p99: float | None = None
    """Acknowledgement latency, in milliseconds."""
    put_p50: float | None = None
    put_p99: float | None = None
    """Put latency in milliseconds, of the destination where it is longest."""
    held_records: float | None = None
    held_bytes: float | None = None


SERIES: Sequence[str] = tuple(each.name for each in fields(Point) if each.name != "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What only the forwarder itself can tell."""

    version: str
    uptime_seconds: float
    draining: bool
    restarts: Sequence[int]
    """Of each worker, how many died in its place."""
    totals: Mapping[str, float]
    """The `WATCHED` counters since the start."""
    rejected: Mapping[str, Mapping[str, int]]
    """Events since the start, by source ID and the code of their rejection."""
    delivered: Mapping[str, float]
    """Records since the start, by destination."""
    pauses: Mapping[str, Pause]
    """Why each destination that is paused is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the figures has shown."""

    points: Sequence[Point]
    """In the order of time; they take the place of all that was shown from the first one's time on."""
    span: Span
    """The newest."""
    recent: Mapping[str, float]
    """The `WATCHED` counters of the last while."""
    recent_seconds: float
    """How long that while is."""
    process: Process | None
    """None where CloudWatch is what was looked at."""


class Figures(Protocol):
    """Where figures come from."""

    interval: float
    """Seconds from one look to the next."""
    span: float
    """Seconds that rates, shares and percentiles are of."""

    @property
    def where(self) -> str:
        """What is looked at, in words."""
        ...

    async def look(self) -> Look:
        """Return the newest.

        Raises:
            HeadgateError: it cannot be had; the text says why, and how to name another.
        """
        ...


def point_of(span: Span) -> Point:
    """Return what the plots show of a span."""
    destinations = span.destinations.values()
    acknowledged = span.service.latencies.get(names.ACKNOWLEDGEMENT_LATENCY.name)
    puts = [each.latencies[_PUT] for each in destinations if _PUT in each.latencies]
    return Point(
        at=span.at,
        events=span.per_minute(span.service.counts.get(names.ACCEPTED_EVENTS.name, 0)),
        rejected=span.per_minute(span.service.counts.get(names.REJECTED_EVENTS.name, 0)),
        share=delivered_share(destinations) if span.seconds is not None else None,
        acknowledged_p50=acknowledged and acknowledged.p50,
        acknowledged_p99=acknowledged and acknowledged.p99,
        put_p50=max((each.p50 for each in puts), default=None),
        put_p99=max((each.p99 for each in puts), default=None),
        held_records=_sum(destinations, names.HELD_RECORDS),
        held_bytes=_sum(destinations, names.HELD_BYTES),
    )


def delivered_share(destinations: Iterable[Told]) -> float | None:
    """Return what part of the records that were to be delivered in a span was; None where there was none.

    That is those that Kinesis said yes to, of them, those it will never take, those that went to the
    overflow queue, and those that are still held, where that is for longer than a record merely is in flight.
    What comes back from the queue counts when it is delivered.
    """
    delivered = whole = 0.0
    for each in destinations:
        delivered += each.counts.get(names.DELIVERED_RECORDS.name, 0)
        whole += each.counts.get(names.UNDELIVERABLE_RECORDS.name, 0)
        whole += each.counts.get(names.SPILLED_RECORDS.name, 0)
        if each.gauges.get(names.OLDEST_RECORD_AGE.name, 0) >= IN_FLIGHT_SECONDS:
            whole += each.gauges.get(names.HELD_RECORDS.name, 0)
    whole += delivered
    return delivered / whole if whole else None


def watched(service: Mapping[str, float], destinations: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the `WATCHED` counters out of all those of the service and of each destination."""
    every = list(destinations)
    return {
        each.name: sum(counts.get(each.name, 0) for counts in every)
        if each.per_destination
        else service.get(each.name, 0)
        for each in WATCHED
    }


_PUT = names.PUT_LATENCY.name


def _sum(destinations: Iterable[Told], gauge: names.Gauge) -> float:
    return sum(each.gauges.get(gauge.name, 0) for each in destinations)
