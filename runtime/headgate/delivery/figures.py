"""What a destination counts, and what it shows of itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from headgate.delivery.packer import Parcel
from headgate.delivery.settling import Settled
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.status import report

if TYPE_CHECKING:
    from headgate.delivery.destination import Destination


class Counts:
    """The counters of one destination."""

    def __init__(self, metrics: Metrics, destination: str) -> None:
        self._delivered = metrics.counter(names.DELIVERED_RECORDS, destination)
        self._retried = metrics.counter(names.RETRIED_RECORDS, destination)
        self._throttled = metrics.counter(names.THROTTLED_RECORDS, destination)
        self._duplicates = metrics.counter(names.POSSIBLE_DUPLICATES, destination)
        self._replaced_keys = metrics.counter(names.REPLACED_PARTITION_KEYS, destination)
        self._latency = metrics.distribution(names.PUT_LATENCY, destination)

    def settled(self, settled: Settled) -> None:
        """Count what became of a request's records."""
        self._delivered.value += settled.delivered
        self._throttled.value += settled.throttled
        self._retried.value += settled.again

    def replaced_keys(self, records: int) -> None:
        """Count records whose partition key was replaced by its hash."""
        self._replaced_keys.value += records

    def again(self, parcel: Parcel, fault: Fault) -> None:
        """Count the records of a request that failed as a whole and are sent again."""
        self._retried.value += len(parcel.records)
        if fault.verdict is Verdict.THROTTLED:
            self._throttled.value += len(parcel.records)
        elif fault.verdict is Verdict.RETRY and fault.sent:
            self._duplicates.value += len(parcel.records)

    def answered(self, seconds: float) -> None:
        """Note how long a request to Kinesis took."""
        self._latency.observe(seconds * 1000)


def show_gauges(
    metrics: Metrics, destination: "Destination", credentials_age: Callable[[], float]
) -> Callable[[], None]:
    """Have the destination's gauges read from now on; return what ends that."""
    name = destination.name
    ends = [
        metrics.gauge(names.HELD_BYTES, name, lambda: destination.held.size),
        metrics.gauge(names.HELD_RECORDS, name, lambda: sum(lane.held_records for lane in destination.lanes)),
        metrics.gauge(names.OLDEST_RECORD_AGE, name, destination.oldest_age),
        metrics.gauge(names.PAUSED, name, lambda: destination.pause.fault is not None),
        metrics.gauge(names.SINGLES_MODE, name, lambda: destination.singles.on),
        metrics.gauge(names.CREDENTIALS_AGE, name, credentials_age),
    ]

    def end() -> None:
        for each in ends:
            each()

    return end


def status(destination: "Destination", endpoint: str | None, form: report.Form) -> report.DestinationStatus:
    """Return how a destination is doing."""
    fault = destination.pause.fault
    return report.DestinationStatus(
        endpoint=endpoint,
        wire=form,
        mode="singles" if destination.singles.on else "batches",
        paused=report.Pause(fault.code, fault.message) if fault is not None else None,
        lanes=[
            report.Lane(lane.shard_id, lane.held_records, lane.held_bytes, lane.pace.rate, lane.throttled)
            for lane in destination.lanes
        ],
    )
