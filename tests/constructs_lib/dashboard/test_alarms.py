"""Every alarm sees its metric, says what silence means, and tells what to do."""

import re
from pathlib import Path

import pytest

from constructs_lib.dashboard import AlarmThresholds
from headgate.metrics import names
from tests.constructs_lib.dashboard.scene import EVERY_ALARM, TOPIC_ARN, Scene, metrics_of, query_of, text_of

OURS = {one.name: one for one in vars(names).values() if isinstance(one, names.Metric)}
# From AWS' own lists of metrics, with the dimensions that each is published under.
THEIRS = {
    "AWS/Kinesis": (
        {
            "WriteProvisionedThroughputExceeded",
            "ReadProvisionedThroughputExceeded",
            "PutRecords.FailedRecords",
            "PutRecords.ThrottledRecords",
            "PutRecords.TotalRecords",
            "IncomingRecords",
            "IncomingBytes",
            "GetRecords.IteratorAgeMilliseconds",
        },
        [{"StreamName"}],
    ),
    "AWS/ApplicationELB": (
        {
            "HTTPCode_Target_5XX_Count",
            "HTTPCode_ELB_5XX_Count",
            "RequestCount",
            "TargetConnectionErrorCount",
            "RejectedConnectionCount",
            "TargetResponseTime",
            "UnHealthyHostCount",
            "HealthyHostCount",
        },
        [{"LoadBalancer"}, {"LoadBalancer", "TargetGroup"}],
    ),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}, [{"QueueName"}]),
    "AWS/ECS": ({"CPUUtilization", "MemoryUtilization"}, [{"ClusterName", "ServiceName"}]),
    "ECS/ContainerInsights": ({"RunningTaskCount"}, [{"ClusterName", "ServiceName"}]),
}
DOCS = (Path(__file__).parents[3] / "docs/metrics.md").read_text()


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_every_alarm_watches_a_metric_that_exists_under_its_dimensions(scene: Scene) -> None:
    watched = [metric for alarm in scene.alarms.values() for metric in metrics_of(alarm)]
    assert len(watched) > 20
    for metric in watched:
        dimensions = {one["Name"] for one in metric["Dimensions"]}
        assert metric["Period"] in (60, 900), metric
        if metric["Namespace"] == "Headgate":
            assert not OURS[metric["MetricName"]].per_destination
            assert metric["Dimensions"] == [{"Name": "Service", "Value": "shop"}]
        else:
            metric_names, allowed = THEIRS[metric["Namespace"]]
            assert metric["MetricName"] in metric_names
            assert dimensions in allowed


def test_what_has_a_destination_is_watched_over_all_destinations_of_the_service(scene: Scene) -> None:
    queries = {name: query for name, alarm in scene.alarms.items() if (query := query_of(alarm))}
    assert set(queries) == {"OldestHeld", "HeldBytes", "Paused", "UndeliverableRecords", "HotShard"}
    del queries["HotShard"]
    for query in queries.values():
        match = re.fullmatch(
            r'SELECT (SUM|MAX)\((\w+)\) FROM SCHEMA\("Headgate", Service, Destination\) '
            r"WHERE Service = 'shop'",
            query,
        )
        assert match is not None, query
        metric = OURS[match[2]]
        assert metric.per_destination
        assert match[1] == ("MAX" if isinstance(metric, names.Gauge) and metric.across == "max" else "SUM")


def test_no_alarm_searches_which_cloudwatch_refuses(scene: Scene) -> None:
    assert "SEARCH" not in str(scene.alarms)


def test_no_alarm_takes_a_call_of_which_one_record_succeeded_for_success(scene: Scene) -> None:
    assert "PutRecords.Success" not in str(scene.alarms)


def test_every_alarm_says_what_to_do_and_what_silence_means_and_tells_the_topic(scene: Scene) -> None:
    breaching = set()
    for name, alarm in scene.alarms.items():
        description = text_of(alarm["AlarmDescription"])
        assert re.search(r"[.?] See docs/(metrics|overflow|delivery)\.md.*\.$", description), name
        assert "  " not in description
        assert len(description) <= 1024
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC_ARN]
        if alarm["TreatMissingData"] == "breaching":
            breaching.add(name)
        else:
            assert alarm["TreatMissingData"] == "notBreaching"
    assert breaching == {"IngestStopped", "HealthyTasks", "RunningTasks"}


def test_capacity_is_the_larger_of_records_and_bytes_against_what_the_shards_take(scene: Scene) -> None:
    [expression] = [
        one["Expression"] for one in scene.alarms["CapacityUsed"]["Metrics"] if "Expression" in one
    ]
    assert expression == (
        "100 * MAX([records / (4 * 1000 * PERIOD(records)), bytes / (4 * 1000000 * PERIOD(bytes))])"
    )


def test_readers_are_late_by_this_streams_own_retention(scene: Scene) -> None:
    assert scene.alarms["ConsumerLag"]["Threshold"] == 12 * 3600 * 1000


def test_held_bytes_and_missing_tasks_follow_the_number_of_tasks(scene: Scene) -> None:
    assert scene.alarms["HeldBytes"]["Threshold"] == 3 * 48 * 1024 * 1024
    assert scene.alarms["RunningTasks"]["Threshold"] == scene.alarms["HealthyTasks"]["Threshold"] == 3
    assert scene.alarms["RunningTasks"]["ComparisonOperator"] == "LessThanThreshold"


def test_a_threshold_is_a_prop_and_none_leaves_its_alarm_out() -> None:
    scene = Scene(AlarmThresholds(dead_letters=5, missing_tasks=2, paused=None, capacity_percent=None))
    assert scene.alarms["DeadLetters"]["Threshold"] == 5
    assert scene.alarms["RunningTasks"]["Threshold"] == 2
    assert not {"Paused", "CapacityUsed", "ConsumerLag", "HotShard", "IngestStopped"} & set(scene.alarms)


def test_a_threshold_that_is_always_met_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dead_letters: 0 is not allowed; it must be above 0, or None"):
        AlarmThresholds(dead_letters=0)


def test_the_document_lists_every_alarm_with_its_default_and_what_silence_means(scene: Scene) -> None:
    section = DOCS.split("\n## Alarms\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE)
    silence = {"breaching": "goes off", "notBreaching": "is quiet"}
    assert {name: missing for name, _, _, missing in rows} == {
        name: silence[alarm["TreatMissingData"]] for name, alarm in scene.alarms.items()
    }
    defaults = AlarmThresholds()
    for _, prop, default, _ in rows:
        value = getattr(defaults, prop)
        assert default == ("off" if value is None else f"{value:,}"), prop
    assert {prop for _, prop, _, _ in rows} == set(AlarmThresholds.__slots__)
    assert defaults != EVERY_ALARM
