"""The load that a stream had, from the metrics that Kinesis itself keeps in CloudWatch."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = 14
"""CloudWatch keeps figures of single minutes for 15 days."""
_PERIOD = 60
_METRICS = ("IncomingRecords", "IncomingBytes")


@dataclass(frozen=True, kw_only=True, slots=True)
class PastLoad:
    """What a stream took, by the minute.

    Attributes:
        since: the first minute with a record; the mean is from there on.
        minutes: from it until now.
        events_per_second: the mean.
        average_bytes: of a record.
        peak_factor: the busiest minute over the mean, by records or by bytes, whichever is more.
        busiest: that minute.
    """

    since: datetime
    minutes: int
    events_per_second: Fraction
    average_bytes: Fraction
    peak_factor: Fraction
    busiest: datetime


def past_load(cloudwatch: Any, stream_name: str, now: datetime) -> PastLoad | None:
    """Return the load of a stream in the last 14 days; None where no record came in.

    Args:
        cloudwatch: boto3's client.
        stream_name: the stream.
        now: the present.

    Raises:
        ClientError: CloudWatch refused.
        BotoCoreError: it cannot be reached, or there are no credentials.
    """
    # The present minute is not over, so it would look like a quiet one.
    end = now.astimezone(UTC).replace(second=0, microsecond=0)
    records, size = _sums(cloudwatch, stream_name, end - timedelta(days=DAYS), end)
    return _load_of(records, size, end)


def _sums(
    cloudwatch: Any, stream_name: str, begin: datetime, end: datetime
) -> list[dict[datetime, Fraction]]:
    queries = [
        {
            "Id": metric.lower(),
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kinesis",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "StreamName", "Value": stream_name}],
                },
                "Period": _PERIOD,
                "Stat": "Sum",
            },
        }
        for metric in _METRICS
    ]
    found: dict[str, dict[datetime, Fraction]] = {metric.lower(): {} for metric in _METRICS}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=begin, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            # boto3 gives them in this machine's time zone.
            minutes = (timestamp.astimezone(UTC) for timestamp in result["Timestamps"])
            found[result["Id"]].update(zip(minutes, map(Fraction, result["Values"]), strict=True))
    return [*found.values()]


def _load_of(
    records: "Mapping[datetime, Fraction]", size: "Mapping[datetime, Fraction]", end: datetime
) -> PastLoad | None:
    total, total_bytes = sum(records.values()), sum(size.values())
    if not total or not total_bytes:
        return None
    since = min(minute for minute, count in records.items() if count)
    # Minutes in which nothing came have no figure; they count for the mean all the same.
    minutes = max(1, round((end - since).total_seconds() / _PERIOD))
    factors = {
        minute: max(records.get(minute, 0) / Fraction(total), size.get(minute, 0) / Fraction(total_bytes))
        for minute in records.keys() | size.keys()
    }
    busiest = max(factors, key=lambda minute: factors[minute])
    return PastLoad(
        since=since,
        minutes=minutes,
        events_per_second=Fraction(total) / (minutes * _PERIOD),
        average_bytes=Fraction(total_bytes) / Fraction(total),
        peak_factor=max(Fraction(1), factors[busiest] * minutes),
        busiest=busiest,
    )
