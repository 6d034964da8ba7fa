"""Every alarm sees its metric, says what silence means, and tells what to do."""

import re
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.dashboard import AlarmThresholds
from tests.constructs_lib.dashboard.published import assert_published, statistic_of
from tests.constructs_lib.dashboard.scene import EVERY_ALARM, TOPIC_ARN, Scene, metrics_of, query_of, text_of

DOCS = (Path(__file__).parents[3] / "docs/metrics.md").read_text()


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_every_alarm_watches_a_metric_that_exists_under_its_dimensions(scene: Scene) -> None:
    watched = [metric for alarm in scene.alarms.values() for metric in metrics_of(alarm)]
    assert len(watched) > 20
    for metric in watched:
        assert metric["Period"] in (60, 900), metric
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        assert_published(metric["Namespace"], metric["MetricName"], dimensions)


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
        assert match[1] == {"Sum": "SUM", "Maximum": "MAX"}[statistic_of(match[2])]


def test_a_shard_is_hot_by_the_sum_of_its_own_bytes(scene: Scene) -> None:
    query = text_of(scene.alarms["HotShard"]["Metrics"][0]["Expression"])
    assert re.fullmatch(
        r'SELECT SUM\(IncomingBytes\) FROM SCHEMA\("AWS/Kinesis", ShardId, StreamName\) '
        r"WHERE StreamName = 'RefEvents\w+' GROUP BY ShardId ORDER BY SUM\(\) DESC",
        query,
    )
    assert scene.alarms["HotShard"]["Threshold"] == 0.8 * 1_000_000 * 60


@pytest.mark.parametrize("name", ["OverflowMessages", "OverflowWaiting"])
def test_overflow_counts_what_is_hidden_until_it_is_tried_again(scene: Scene, name: str) -> None:
    alarm = scene.alarms[name]
    assert {metric["MetricName"] for metric in metrics_of(alarm)} == {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
    }
    assert [one["Expression"] for one in alarm["Metrics"] if "Expression" in one] == ["waiting + hidden"]


def test_no_alarm_believes_an_age_that_leaves_out_what_was_tried_three_times(scene: Scene) -> None:
    assert "AgeOfOldestMessage" not in str(scene.alarms)
    waiting = scene.alarms["OverflowWaiting"]
    assert (waiting["DatapointsToAlarm"], waiting["EvaluationPeriods"], waiting["Threshold"]) == (12, 15, 1)


@pytest.mark.parametrize("name", ["OldestHeld", "HotShard", "FailedRecords", "CapacityUsed", "Target5xx"])
def test_what_is_computed_is_computed_each_minute(scene: Scene, name: str) -> None:
    metrics = scene.alarms[name]["Metrics"]
    assert {one.get("Period") or one["MetricStat"]["Period"] for one in metrics if len(metrics) == 1} <= {60}
    assert {one["MetricStat"]["Period"] for one in metrics if "MetricStat" in one} <= {60}
    assert len([one for one in metrics if "MetricStat" in one]) <= 10


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
    scene = Scene(
        AlarmThresholds(
            dead_letters=5,
            missing_healthy_tasks=2,
            missing_running_tasks=None,
            paused=None,
            capacity_percent=None,
        )
    )
    assert scene.alarms["DeadLetters"]["Threshold"] == 5
    assert scene.alarms["HealthyTasks"]["Threshold"] == 2
    off = {
        "Paused",
        "CapacityUsed",
        "RunningTasks",
        "ConsumerLag",
        "ReadThrottled",
        "HotShard",
        "IngestStopped",
    }
    assert not off & set(scene.alarms)


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (
            {"dead_letters": 0},
            "dead_letters: 0 is not allowed; it must be above 0, or None for no such alarm",
        ),
        (
            {"cpu_percent": 101},
            "cpu_percent: 101 is not allowed; it must be 100 or less, or None for no alarm",
        ),
        ({"ingest_stopped_minutes": 1.5}, "ingest_stopped_minutes: 1.5 is not allowed; it must be a whole"),
        ({"ingest_stopped_minutes": 1441}, "whole number of minutes, from 1 to 1,440"),
    ],
)
def test_a_threshold_that_is_always_or_never_met_is_refused(threshold: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        AlarmThresholds(**threshold)


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
