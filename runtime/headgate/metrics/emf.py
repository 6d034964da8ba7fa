"""CloudWatch's embedded metric format: metrics as JSON lines in the log.

Limits are those of its specification (Amazon CloudWatch User Guide): 100 metrics a directive, 100 values a
metric. A distribution is `{"Values": [...], "Counts": [...]}`, as AWS's own libraries write it, from which
CloudWatch computes percentiles; one of more values goes on in a further line.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from headgate.metrics.histogram import VALUES, Buckets
from headgate.metrics.names import METRICS, Gauge
from headgate.metrics.snapshot import Figures, Snapshot, difference
from headgate.metrics.store import Metrics

NAMESPACE = "Headgate"
MAX_VALUES = 100
ACTIVE_SECONDS = 15 * 60
"""How long gauges of a destination are told after its last event: alarms see that they are zero again."""
_MAX_DIMENSION_CHARACTERS = 1024


class EmfLog:
    """Writes what metrics have become since it last did: nothing while nothing happens."""

    def __init__(self, service: str, write: Callable[[bytes], None]) -> None:
        self._service = service
        self._write = write
        self._before = Snapshot()
        self._active_until: dict[str, float] = {}

    def tell(self, metrics: Metrics, now: float) -> None:
        """Write a line for the process and for each destination that has something to tell.

        Args:
            metrics: those of the process, the same at every call.
            now: seconds since 1970.
        """
        change = difference(self._before, metrics.snapshot())
        for line in self._lines(change, now):
            self._write(line)
        metrics.forget_dropped()
        self._before = metrics.snapshot()

    def _lines(self, change: Snapshot, now: float) -> Iterator[bytes]:
        if _tells(change.service):
            yield from lines(change.service, {"Service": self._service}, now)
        for destination, figures in change.destinations.items():
            if _tells(figures):
                self._active_until[destination] = now + ACTIVE_SECONDS
            if now < self._active_until.get(destination, now):
                dimensions = {"Service": self._service, "Destination": destination}
                yield from lines(figures, dimensions, now)
        gone = self._active_until.keys() - change.destinations.keys()
        for destination in gone:
            del self._active_until[destination]


def lines(figures: Figures, dimensions: dict[str, str], now: float) -> Iterator[bytes]:
    """Yield the lines for what was counted since the last ones, each with its newline.

    Args:
        figures: counters and distributions since the last lines, gauges as they are.
        dimensions: name and value of each dimension.
        now: seconds since 1970.
    """
    values: dict[str, object] = {name: count for name, count in figures.counters.items() if count}
    values |= figures.gauges
    more: list[dict[str, object]] = []
    for name, buckets in figures.distributions.items():
        first, *rest = _pieces(buckets)
        values[name] = first
        more += [{name: piece} for piece in rest]
    for each in (values, *more):
        if each:
            yield _line(each, dimensions, now)


def audience_line(values: Mapping[str, float], service: str, audience: str, now: float) -> bytes:
    """Return the line of one sync, with its newline; it counts for the audience and for the whole service.

    Args:
        values: metrics that are per audience, by name.
        service: the dimension Service.
        audience: the dimension Audience: its name.
        now: seconds since 1970.
    """
    dimensions = {"Service": service, "Audience": audience}
    return _line(dict(values), dimensions, now, [["Service"], ["Service", "Audience"]])


def _tells(figures: Figures) -> bool:
    if figures.counters or figures.distributions:
        return True
    gauges = ((METRICS[name], value) for name, value in figures.gauges.items())
    return any(value and isinstance(metric, Gauge) and metric.quiet_at_zero for metric, value in gauges)


def _pieces(buckets: Buckets) -> list[dict[str, list[float]]]:
    ordered = sorted(buckets.items())
    return [
        {
            "Values": [VALUES[index] for index, _ in ordered[begin : begin + MAX_VALUES]],
            "Counts": [count for _, count in ordered[begin : begin + MAX_VALUES]],
        }
        for begin in range(0, len(ordered), MAX_VALUES)
    ]


def _line(
    values: dict[str, object], dimensions: dict[str, str], now: float, sets: list[list[str]] | None = None
) -> bytes:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": sets or [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": METRICS[name].unit} for name in values],
    }
    metadata = {"Timestamp": round(now * 1000), "CloudWatchMetrics": [directive]}
    targets = {name: dimension(value) for name, value in dimensions.items()}
    return msgspec.json.encode({"_aws": metadata, **targets, **values}) + b"\n"


def dimension(value: str) -> str:
    """Return a dimension's value as CloudWatch takes it: printable ASCII, with no colon in front."""
    escaped = "".join(each if " " <= each <= "~" else f"\\u{ord(each):04x}" for each in value)
    if escaped.startswith(":"):
        escaped = "\\u003a" + escaped[1:]
    return escaped[:_MAX_DIMENSION_CHARACTERS]
