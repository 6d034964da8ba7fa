"""The figures of a forwarder that runs elsewhere, from CloudWatch, which is told them once a minute.

Each look asks for the whole of the last quarter of an hour: tasks tell at moments of their own, so the newest
minutes fill up. GetMetricData is billed by the metric that is asked for, not by the minute.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.session import Session

from headgate.console.overview.figures import WATCHED, Look, Percentiles, Point, Span, Told, point_of, watched
from headgate.console.overview.history import HISTORY_SECONDS
from headgate.errors import HeadgateError
from headgate.metrics import names
from headgate.metrics.emf import NAMESPACE, dimension
from headgate.metrics.names import METRICS, Counter, Distribution, Gauge
from headgate.settings.aws_service import AwsService
from headgate.threads import in_thread

PERIOD_SECONDS = 60
MOST_QUERIES = 500
"""Of one GetMetricData (CloudWatch API reference)."""
_LATE_SECONDS = 60
"""How long after its end a minute is first shown: until then much of it is not told."""
_ASKED = {
    each.name
    for each in (
        names.ACCEPTED_EVENTS,
        names.REJECTED_EVENTS,
        names.ACKNOWLEDGEMENT_LATENCY,
        names.DELIVERED_RECORDS,
        names.THROTTLED_RECORDS,
        names.HELD_BYTES,
        names.HELD_RECORDS,
        names.OLDEST_RECORD_AGE,
        names.PUT_LATENCY,
        names.SINGLES_MODE,
        names.PAUSED,
        *WATCHED,
    )
}


class Asked(NamedTuple):
    """One metric of one destination, or of the service, and the statistic of it."""

    destination: str | None
    name: str
    statistic: str


Minutes = Mapping[float, Mapping[Asked, float]]
"""Values, by the end of the minute, in seconds since 1970."""


class CloudWatchFigures:
    """Asks CloudWatch.

    Args:
        session: with the operator's credentials.
        service: the dimension Service: what the forwarder's `--service-name` says.
        region: where it runs.
        now: seconds since 1970.
    """

    interval = float(PERIOD_SECONDS)
    span = float(PERIOD_SECONDS)

    def __init__(self, session: Session, service: str, region: str, now: Callable[[], float]) -> None:
        self.where = f"CloudWatch in {region}, service {service}"
        self._service = service
        self._region = region
        self._now = now
        self._cloudwatch = AwsService(session, "cloudwatch", region=region, about=f"CloudWatch in {region}")

    async def look(self) -> Look:
        """Return the newest.

        Raises:
            AwsError: CloudWatch refuses, or cannot be reached.
            HeadgateError: it was told nothing of the service.
        """
        end = (self._now() - _LATE_SECONDS) // PERIOD_SECONDS * PERIOD_SECONDS
        minutes = await in_thread(lambda: self._minutes(end))
        if not minutes:
            raise HeadgateError(
                f"CloudWatch in {self._region} was told nothing of the service {self._service!r} in the last "
                f"{HISTORY_SECONDS // 60} minutes: it is idle, stopped or named otherwise; name another with "
                "--service-name and --region"
            )
        return look_of(minutes, end)

    def _minutes(self, end: float) -> Minutes:
        """Return what was told of the minutes before an instant."""
        minutes: defaultdict[float, dict[Asked, float]] = defaultdict(dict)
        asked = sorted(set(self._told()), key=str)
        for begin in range(0, len(asked), MOST_QUERIES):
            some = asked[begin : begin + MOST_QUERIES]
            queries = [self._query(number, each) for number, each in enumerate(some)]
            request: dict[str, Any] = {
                "MetricDataQueries": queries,
                "StartTime": datetime.fromtimestamp(end - HISTORY_SECONDS, UTC),
                "EndTime": datetime.fromtimestamp(end, UTC),
            }
            for result in self._pages("get_metric_data", "MetricDataResults", request):
                of = some[int(result["Id"][1:])]
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    minutes[moment.timestamp() + PERIOD_SECONDS][of] = value
        return minutes

    def _told(self) -> Iterator[Asked]:
        """Give all that CloudWatch was told of lately and is shown here."""
        service = {"Name": "Service", "Value": dimension(self._service)}
        request = {"Namespace": NAMESPACE, "Dimensions": [service], "RecentlyActive": "PT3H"}
        for metric in self._pages("list_metrics", "Metrics", request):
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            if metric["MetricName"] in _ASKED and dimensions.keys() <= {"Service", "Destination"}:
                for statistic in _statistics(metric["MetricName"]):
                    yield Asked(dimensions.get("Destination"), metric["MetricName"], statistic)

    def _query(self, number: int, asked: Asked) -> dict[str, Any]:
        dimensions = [{"Name": "Service", "Value": dimension(self._service)}]
        if asked.destination is not None:
            dimensions.append({"Name": "Destination", "Value": asked.destination})
        metric = {"Namespace": NAMESPACE, "MetricName": asked.name, "Dimensions": dimensions}
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": asked.statistic},
        }

    def _pages(self, operation: str, member: str, request: Mapping[str, Any]) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            answer = self._cloudwatch.call(operation, **request, **token)
            yield from answer[member]
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}


def look_of(minutes: Minutes, end: float) -> Look:
    """Return what minutes tell; those of which nothing was told are gaps.

    Args:
        minutes: one at least.
        end: where the newest ends that could have been told of.
    """
    spans = {at: _span(at, values) for at, values in minutes.items()}
    every = [end - seconds for seconds in range(HISTORY_SECONDS - PERIOD_SECONDS, -1, -PERIOD_SECONDS)]
    counts: defaultdict[str, float] = defaultdict(float)
    for span in spans.values():
        told = watched(span.service.counts, [each.counts for each in span.destinations.values()])
        for name, count in told.items():
            counts[name] += count
    return Look(
        points=[point_of(spans[at]) if at in spans else Point(at=at) for at in every],
        span=spans[max(spans)],
        recent=counts,
        recent_seconds=HISTORY_SECONDS,
        process=None,
    )


def _span(at: float, values: Mapping[Asked, float]) -> Span:
    by_destination: defaultdict[str | None, dict[Asked, float]] = defaultdict(dict)
    for asked, value in values.items():
        by_destination[asked.destination][asked] = value
    service = _told(by_destination.pop(None, {}))
    destinations = {name: _told(each) for name, each in by_destination.items() if name is not None}
    return Span(at=at, seconds=PERIOD_SECONDS, service=service, destinations=destinations)


def _told(values: Mapping[Asked, float]) -> Told:
    counts, gauges = dict[str, float](), dict[str, float]()
    percentiles: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for asked, value in values.items():
        if isinstance(METRICS[asked.name], Counter):
            counts[asked.name] = value
        elif isinstance(METRICS[asked.name], Gauge):
            gauges[asked.name] = value
        else:
            percentiles[asked.name][asked.statistic] = value
    whole = {name: each for name, each in percentiles.items() if len(each) == len(Percentiles._fields)}
    return Told(counts, gauges, {name: Percentiles(**each) for name, each in whole.items()})


def _statistics(name: str) -> Sequence[str]:
    metric = METRICS[name]
    if isinstance(metric, Distribution):
        return Percentiles._fields
    return ("Maximum",) if isinstance(metric, Gauge) and metric.across == "max" else ("Sum",)
