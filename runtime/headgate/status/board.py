"""The page: what all workers last reported, and what those that are gone have counted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from headgate.metrics.histogram import percentile
from headgate.metrics.snapshot import Figures, Snapshot, merge, without_gauges
from headgate.status.report import Report, merged_destination, merged_source


@dataclass(slots=True)
class _Worker:
    since: datetime
    restarts: int
    report: Report = field(default_factory=Report)


class Board:
    """Collects reports. `own` is the snapshot of the process that shows the page, where it counts too."""

    def __init__(
        self,
        version: str,
        own: Callable[[], Snapshot] = Snapshot,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._version = version
        self._own = own
        self._now = now
        self._since = now()
        self._workers: dict[int, _Worker] = {}
        self._gone = Report()

    def started(self, pid: int, restarts: int = 0) -> None:
        """Note a worker, and how many died in its place before it."""
        self._workers[pid] = _Worker(self._now(), restarts)

    def take(self, pid: int, report: Report) -> None:
        """Keep a worker's report in place of its last one."""
        self._workers[pid].report = report

    def ended(self, pid: int) -> None:
        """Note that a worker is gone: what it counted stays in the totals, what it held does not."""
        report = self._workers.pop(pid).report
        self._gone = Report(
            snapshot=merge([self._gone.snapshot, without_gauges(report.snapshot)]),
            sources=_by_key(merged_source, [self._gone.sources, report.sources]),
        )

    def page(self, buckets: bool = False) -> bytes:
        """Return the page's JSON.

        Args:
            buckets: whether each distribution has how many values fell into each bucket of
                `headgate.metrics.histogram` too, by its number, since the start.
        """
        live = [worker.report for worker in self._workers.values()]
        every = [self._gone, *live]
        total = merge([self._own(), *(report.snapshot for report in every)])
        statuses = _by_key(merged_destination, [report.destinations for report in live])
        page = {
            "version": self._version,
            "uptime_seconds": round((self._now() - self._since).total_seconds()),
            "draining": any(report.draining for report in live),
            "workers": [
                {
                    "pid": pid,
                    "since": worker.since.isoformat(timespec="seconds"),
                    "restarts": worker.restarts,
                }
                for pid, worker in self._workers.items()
            ],
            "metrics": _shown(total.service, buckets=buckets),
            "sources": _by_key(merged_source, [report.sources for report in every]),
            "destinations": {
                name: (msgspec.to_builtins(statuses[name]) if name in statuses else {})
                | {"metrics": _shown(total.destinations.get(name, Figures()), buckets=buckets)}
                for name in sorted(total.destinations.keys() | statuses.keys())
            },
        }
        return msgspec.json.format(msgspec.json.encode(page), indent=2) + b"\n"


def _shown(figures: Figures, *, buckets: bool) -> dict[str, object]:
    shown: dict[str, object] = {**figures.counters, **figures.gauges}
    for name, values in figures.distributions.items():
        distribution = {
            "count": sum(values.values()),
            "p50": percentile(values, 0.5),
            "p99": percentile(values, 0.99),
            "max": percentile(values, 1),
        }
        shown[name] = distribution | ({"buckets": values} if buckets else {})
    return shown


def _by_key(merged: Callable[[list[Any]], Any], mappings: list[dict[str, Any]]) -> dict[str, Any]:
    names = {name for mapping in mappings for name in mapping}
    return {
        name: merged([mapping[name] for mapping in mappings if name in mapping]) for name in sorted(names)
    }
