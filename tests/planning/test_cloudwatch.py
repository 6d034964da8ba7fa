"""The load of a stream as moto's CloudWatch has it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import boto3
import pytest
from moto import mock_aws

from headgate.planning.cloudwatch import past_load

NOW = datetime.now(UTC)
LAST = NOW.replace(second=0, microsecond=0) - timedelta(minutes=1)
"""The last minute that is over."""


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="us-west-2")


def put(cloudwatch: Any, minute: datetime, records: float, size: float, stream: str = "events") -> None:
    for metric, value in (("IncomingRecords", records), ("IncomingBytes", size)):
        datum = {
            "MetricName": metric,
            "Dimensions": [{"Name": "StreamName", "Value": stream}],
            "Timestamp": minute,
            "Value": value,
        }
        cloudwatch.put_metric_data(Namespace="AWS/Kinesis", MetricData=[datum])


def test_the_mean_is_over_all_minutes_since_the_first_and_the_peak_is_the_busiest(cloudwatch: Any) -> None:
    put(cloudwatch, LAST - timedelta(minutes=9), 600, 600_000)
    put(cloudwatch, LAST - timedelta(minutes=5), 3_000, 1_500_000)
    put(cloudwatch, LAST - timedelta(minutes=5), 1_200, 600_000)  # Kinesis writes each shard's part by itself
    put(cloudwatch, LAST, 1_200, 1_800_000)
    put(cloudwatch, LAST + timedelta(minutes=1), 9_000, 9_000_000)  # this one is not over
    put(cloudwatch, LAST, 7_000, 7_000_000, stream="another")
    past = past_load(cloudwatch, "events", NOW)
    assert past is not None
    # 6,000 records of 4.5 MB in ten minutes: 10 a second of 750 bytes. The busiest minute had 4,200 records,
    # which is 7 times a tenth of them, and 2.1 MB, which is 4.67 times a tenth of these.
    assert (past.since, past.minutes) == (LAST - timedelta(minutes=9), 10)
    assert (past.events_per_second, past.average_bytes) == (10, 750)
    assert (past.busiest, past.peak_factor) == (LAST - timedelta(minutes=5), 7)
    assert (past.since.tzinfo, past.busiest.tzinfo) == (UTC, UTC)


def test_bytes_too_make_a_minute_the_busiest(cloudwatch: Any) -> None:
    put(cloudwatch, LAST - timedelta(minutes=1), 100, 10_000)
    put(cloudwatch, LAST, 100, 30_000)
    past = past_load(cloudwatch, "events", NOW)
    assert past is not None
    assert (past.busiest, past.peak_factor) == (LAST, Fraction(3, 2))


def test_a_stream_that_took_nothing_for_14_days_has_no_load(cloudwatch: Any) -> None:
    put(cloudwatch, LAST - timedelta(days=14, minutes=5), 600, 600_000)
    assert past_load(cloudwatch, "events", NOW) is None
    put(cloudwatch, LAST - timedelta(days=13), 600, 600_000)
    past = past_load(cloudwatch, "events", NOW)
    assert past is not None
    assert past.minutes == 13 * 24 * 60 + 1
