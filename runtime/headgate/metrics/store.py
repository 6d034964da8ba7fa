"""Where a process counts: objects that a hot path keeps and adds to, read all at once in a snapshot."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from headgate.metrics import names
from headgate.metrics.histogram import bucket_of
from headgate.metrics.snapshot import Figures, Snapshot, combined


class Count:
    """A counter: `count.value += 1`, which is all that a hot path pays."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Observations:
    """A distribution."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: defaultdict[int, int] = defaultdict(int)

    def observe(self, value: float) -> None:
        """Take in one value, in the unit that the registry names."""
        self.buckets[bucket_of(value)] += 1


@dataclass(slots=True)
class _Held:
    """The metrics of one combination of dimensions."""

    counters: dict[str, Count] = field(default_factory=dict)
    gauges: dict[names.Gauge, list[Callable[[], float]]] = field(default_factory=dict)
    distributions: dict[str, Observations] = field(default_factory=dict)

    def figures(self) -> Figures:
        return Figures(
            {name: count.value for name, count in self.counters.items()},
            {
                gauge.name: float(combined(gauge, [read() for read in reads]))
                for gauge, reads in self.gauges.items()
                if reads
            },
            {name: dict(observed.buckets) for name, observed in self.distributions.items()},
        )


class Metrics:
    """The metrics of one process. One thread, that of the event loop, uses it."""

    def __init__(self) -> None:
        self._held: dict[str | None, _Held] = {}
        self._dropped: set[str] = set()

    def counter(self, metric: names.Counter, destination: str | None = None) -> Count:
        """Return the counter, the same for the same arguments.

        Raises:
            ValueError: a destination is given for a metric that has none, or is missing.
        """
        return self._of(metric, destination).counters.setdefault(metric.name, Count())

    def distribution(self, metric: names.Distribution, destination: str | None = None) -> Observations:
        """Return the distribution, the same for the same arguments.

        Raises:
            ValueError: a destination is given for a metric that has none, or is missing.
        """
        return self._of(metric, destination).distributions.setdefault(metric.name, Observations())

    def gauge(
        self, metric: names.Gauge, destination: str | None, read: Callable[[], float]
    ) -> Callable[[], None]:
        """Have a gauge read at every snapshot; return what ends that.

        Several reads of one gauge are combined as the registry says.

        Raises:
            ValueError: a destination is given for a metric that has none, or is missing.
        """
        reads = self._of(metric, destination).gauges.setdefault(metric, [])
        reads.append(read)

        def end() -> None:
            if read in reads:
                reads.remove(read)

        return end

    def drop(self, destination: str) -> None:
        """End a destination's metrics: its gauges now, its counts once they were told.

        Whoever counts for it later begins with the objects that the store hands out then.
        """
        if (held := self._held.get(destination)) is not None:
            held.gauges.clear()
            self._dropped.add(destination)

    def forget_dropped(self) -> None:
        """Forget the destinations that were dropped; what they counted has been told."""
        for destination in self._dropped:
            del self._held[destination]
        self._dropped.clear()

    def snapshot(self) -> Snapshot:
        """Return all metrics as they are now."""
        return Snapshot(
            self._held[None].figures() if None in self._held else Figures(),
            {name: held.figures() for name, held in self._held.items() if name is not None},
        )

    def _of(self, metric: names.Metric, destination: str | None) -> _Held:
        if metric.per_destination is (destination is None):
            wanted = "a destination" if metric.per_destination else "no destination"
            raise ValueError(f"{metric.name} is a metric of {wanted}; given: {destination!r}")
        if destination is not None:
            self._dropped.discard(destination)
        return self._held.setdefault(destination, _Held())
