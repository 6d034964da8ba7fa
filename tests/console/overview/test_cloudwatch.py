"""Figures of a forwarder that runs elsewhere, as moto's CloudWatch has them."""

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.cloudwatch.models import Statistics

from headgate.console.overview.cloudwatch import Asked, CloudWatchFigures, look_of
from headgate.console.overview.figures import Look
from headgate.errors import AwsError, HeadgateError
from headgate.metrics import names
from headgate.metrics.names import METRICS

NOW = datetime.now(UTC).timestamp()
END = (NOW - 60) // 60 * 60
"""Where the newest minute ends that is shown."""


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    of_moto = Statistics.get_statistics_for_type

    def with_percentiles(told: Statistics, stat: str) -> Any:
        """Return what moto leaves out."""
        if not stat.startswith("p"):
            return of_moto(told, stat)
        values = sorted(told.metric_single_values_list)
        return values[math.ceil(float(stat[1:]) / 100 * len(values)) - 1]

    monkeypatch.setattr(Statistics, "get_statistics_for_type", with_percentiles)
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="eu-west-1")


def put(
    cloudwatch: Any,
    name: str,
    *values: float,
    ago: int = 0,
    destination: str | None = None,
    service: str = "headgate",
) -> None:
    """Tell as a task does, once, of a minute so many minutes before the newest."""
    dimensions = [{"Name": "Service", "Value": service}]
    if destination is not None:
        dimensions.append({"Name": "Destination", "Value": destination})
    datum: dict[str, Any] = {
        "MetricName": name,
        "Dimensions": dimensions,
        "Timestamp": datetime.fromtimestamp(END - 60 * ago - 30, UTC),
        "Unit": METRICS[name].unit,
        "Values": list(values),
        "Counts": [1.0] * len(values),
    }
    cloudwatch.put_metric_data(Namespace="Headgate", MetricData=[datum])


def look(service: str = "headgate") -> Look:
    figures = CloudWatchFigures(botocore.session.get_session(), service, "eu-west-1", lambda: NOW)
    return asyncio.run(figures.look())


def test_minutes_become_points_and_what_nobody_told_is_a_gap(cloudwatch: Any) -> None:
    put(cloudwatch, "AcceptedEvents", 100)
    put(cloudwatch, "AcceptedEvents", 20)  # another task
    put(cloudwatch, "AcceptedEvents", 7, ago=3)
    put(cloudwatch, "AcceptedEvents", 9_999, ago=20)
    put(cloudwatch, "AcceptedEvents", 9_999, service="another")
    seen = look()
    assert [point.at for point in seen.points] == [END - 60 * ago for ago in range(14, -1, -1)]
    assert [point.events for point in seen.points][-4:] == [7, None, None, 120]
    assert {point.events for point in seen.points[:-4]} == {None}
    assert (seen.span.at, seen.span.seconds) == (END, 60)
    assert seen.process is None


def test_destinations_gauges_and_percentiles_are_told(cloudwatch: Any) -> None:
    for held in (3, 4):  # of two tasks
        put(cloudwatch, "HeldRecords", held, destination="web/events")
        put(cloudwatch, "OldestRecordAge", held * 10, destination="web/events")
    put(cloudwatch, "DeliveredRecords", 93, destination="web/events")
    put(cloudwatch, "PutLatency", *range(1, 101), destination="web/events")
    put(cloudwatch, "PutLatency", 7, destination="web/other")
    put(cloudwatch, "AcknowledgementLatency", *range(2, 202, 2))
    put(cloudwatch, "SettingsFailures", 1, ago=9)
    put(cloudwatch, "SpilledRecords", 2, ago=1, destination="web/events")
    put(cloudwatch, "SpilledRecords", 3, ago=2, destination="web/other")
    seen = look()
    point, told = seen.points[-1], seen.span.destinations["web/events"]
    assert told.gauges == {"HeldRecords": 7, "OldestRecordAge": 40}
    assert point.share == 0.93
    assert (point.acknowledged_p50, point.acknowledged_p99) == (100, 198)
    assert (point.put_p50, point.put_p99) == (50, 99)
    assert (seen.recent["SettingsFailures"], seen.recent["SpilledRecords"]) == (1, 5)
    assert set(seen.span.destinations) == {"web/events", "web/other"}


def test_what_was_told_nothing_is_named(cloudwatch: Any) -> None:
    put(cloudwatch, "AcceptedEvents", 1, service="another")
    with pytest.raises(HeadgateError, match="eu-west-1 was told nothing of the service 'headgate'"):
        look()


def test_many_destinations_are_asked_for_in_several_calls(
    cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.console.overview.cloudwatch.MOST_QUERIES", 3)
    for number in range(10):
        put(cloudwatch, "DeliveredRecords", number + 1, destination=f"web/{number}")
    told = look().span.destinations
    assert {name: each.counts["DeliveredRecords"] for name, each in told.items()} == {
        f"web/{number}": number + 1 for number in range(10)
    }


def test_it_is_asked_as_its_reference_says_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shapes are checked by botocore: what moto lets pass, the service need not."""
    client = boto3.client(
        "cloudwatch", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    service = [{"Name": "Service", "Value": "headgate"}]
    accepted = {"Namespace": "Headgate", "MetricName": "AcceptedEvents", "Dimensions": service}
    audience = {
        "Namespace": "Headgate",
        "MetricName": "AudienceCalls",
        "Dimensions": [*service, {"Name": "Audience", "Value": "x"}],
    }
    asked = {"Namespace": "Headgate", "Dimensions": service, "RecentlyActive": "PT3H"}
    query = {"Id": "m0", "MetricStat": {"Metric": accepted, "Period": 60, "Stat": "Sum"}}
    wanted = {
        "MetricDataQueries": [query],
        "StartTime": datetime.fromtimestamp(END - 900, UTC),
        "EndTime": datetime.fromtimestamp(END, UTC),
    }
    minutes = [datetime.fromtimestamp(END - 60 * ago, UTC) for ago in (1, 2)]

    def result(minute: datetime, value: float) -> dict[str, Any]:
        found = {"Id": "m0", "Label": "AcceptedEvents", "Timestamps": [minute], "Values": [value]}
        return {"MetricDataResults": [found | {"StatusCode": "PartialData"}], "Messages": []}

    with Stubber(client) as stub:
        stub.add_response("list_metrics", {"Metrics": [audience], "NextToken": "t"}, asked)
        stub.add_response("list_metrics", {"Metrics": [accepted]}, asked | {"NextToken": "t"})
        stub.add_response("get_metric_data", result(minutes[0], 5) | {"NextToken": "u"}, wanted)
        stub.add_response("get_metric_data", result(minutes[1], 6), wanted | {"NextToken": "u"})
        monkeypatch.setattr("headgate.settings.aws_service.client", lambda *_, **__: client)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        assert [point.events for point in look().points][-2:] == [6, 5]
        stub.assert_no_pending_responses()


def test_a_refusal_is_one_line_with_the_words_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client(
        "cloudwatch", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    monkeypatch.setattr("headgate.settings.aws_service.client", lambda *_, **__: client)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with Stubber(client) as stub:
        stub.add_client_error("list_metrics", "AccessDenied", "not yours", 403)
        with pytest.raises(AwsError, match=r"^CloudWatch in eu-west-1: AccessDenied: not yours$"):
            look()


def test_half_a_distribution_is_none() -> None:
    of = Asked(None, names.ACKNOWLEDGEMENT_LATENCY.name, "p50")
    assert look_of({END: {of: 5.0}}, END).points[-1].acknowledged_p50 is None
