"""All metrics at one moment, as a plain value that travels between processes, adds up and subtracts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, cast

import msgspec

from headgate.metrics.histogram import Buckets
from headgate.metrics.names import METRICS, Gauge

Value = TypeVar("Value")


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """The metrics of one combination of dimensions, by name."""

    counters: dict[str, int] = {}
    gauges: dict[str, float] = {}
    distributions: dict[str, Buckets] = {}


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """All metrics of a process, or of several merged."""

    service: Figures = Figures()
    """Those with no destination."""
    destinations: dict[str, Figures] = {}
    """By destination: source ID, slash, stream name."""


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return one snapshot of several: sums, but for gauges of which the registry wants the greatest."""
    every = list(snapshots)
    return Snapshot(
        _merged(each.service for each in every), _by_key(_merged, [each.destinations for each in every])
    )


def difference(before: Snapshot, after: Snapshot) -> Snapshot:
    """Return what was counted between two snapshots of one process, and the later one's gauges."""
    nothing = Figures()
    return Snapshot(
        _difference(before.service, after.service),
        {
            destination: _difference(before.destinations.get(destination, nothing), figures)
            for destination, figures in after.destinations.items()
        },
    )


def without_gauges(snapshot: Snapshot) -> Snapshot:
    """Return what stays true of a process that is gone: it has counted, and holds nothing."""

    def counted(figures: Figures) -> Figures:
        return Figures(figures.counters, {}, figures.distributions)

    return Snapshot(
        counted(snapshot.service), {name: counted(figures) for name, figures in snapshot.destinations.items()}
    )


def combined(gauge: Gauge, values: Iterable[float]) -> float:
    """Return one value of a gauge out of several."""
    return sum(values) if gauge.across == "sum" else max(values)


def _merged(figures: Iterable[Figures]) -> Figures:
    every = list(figures)
    gauges: dict[str, list[float]] = {}
    for each in every:
        for name, value in each.gauges.items():
            gauges.setdefault(name, []).append(value)
    return Figures(
        _sum(each.counters for each in every),
        {name: combined(cast("Gauge", METRICS[name]), values) for name, values in gauges.items()},
        _by_key(_sum, [each.distributions for each in every]),
    )


def _difference(before: Figures, after: Figures) -> Figures:
    return Figures(
        _grown(before.counters, after.counters),
        after.gauges,
        {
            name: grown
            for name, buckets in after.distributions.items()
            if (grown := _grown(before.distributions.get(name, {}), buckets))
        },
    )


Key = TypeVar("Key", str, int)


def _grown(before: Mapping[Key, int], after: Mapping[Key, int]) -> dict[Key, int]:
    return {key: more for key, count in after.items() if (more := count - before.get(key, 0))}


def _sum(counts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    total: Counter[Key] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _by_key(one: Callable[[Iterable[Value]], Value], mappings: list[dict[str, Value]]) -> dict[str, Value]:
    """Return `one` of all values that the mappings hold under each of their keys."""
    every: dict[str, list[Value]] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            every.setdefault(key, []).append(value)
    return {key: one(values) for key, values in every.items()}
