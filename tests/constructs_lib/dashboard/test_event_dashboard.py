"""The dashboard shows what its alarms watch, and refuses what it cannot show."""

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk.assertions import Template

from constructs_lib import EventStream
from constructs_lib.dashboard import AlarmThresholds, EventDashboard
from constructs_lib.dashboard.stream_rows import CAPACITY
from tests.constructs_lib.dashboard.published import assert_published, statistic_of
from tests.constructs_lib.dashboard.scene import Scene, lines_of
from tests.constructs_lib.forwarder.scene import ACCOUNT, REGION, STREAM_ARN, new_stack, stream


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_all_alarms_stand_on_top_and_are_exposed(scene: Scene) -> None:
    first = scene.widgets[0]
    assert first["type"] == "alarm"
    assert len(first["properties"]["alarms"]) == len(scene.dashboard.alarms) == len(scene.alarms)


def test_each_alarm_is_drawn_in_a_graph(scene: Scene) -> None:
    lines = [
        line
        for widget in scene.widgets[1:]
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    ]
    drawn = [line["value"] for line in lines if line["label"] not in ("min_tasks", "max_tasks", CAPACITY)]
    assert sorted(drawn) == sorted(alarm["Threshold"] for alarm in scene.alarms.values())


def test_rows_fit_the_width_of_a_dashboard_and_no_graph_is_empty(scene: Scene) -> None:
    assert all(widget["x"] + widget["width"] <= 24 for widget in scene.widgets)
    assert all(widget["properties"]["metrics"] for widget in scene.widgets[1:])


def test_every_graph_draws_metrics_that_exist_each_minute_or_longer(scene: Scene) -> None:
    drawn = [line for widget in scene.widgets[1:] for line in lines_of(widget)]
    assert len(drawn) > 40
    for line in drawn:
        assert line.options["period"] in (60, 900)
        if not line.expression:
            assert_published(line.namespace, line.name, line.dimensions)


def test_no_graph_has_two_queries_of_which_cloudwatch_answers_one(scene: Scene) -> None:
    queries = [
        [line for line in lines_of(widget) if "SELECT" in line.expression] for widget in scene.widgets[1:]
    ]
    assert max(map(len, queries)) == 1


def test_graphs_search_for_every_destination_of_the_service(scene: Scene) -> None:
    searches = [
        line.expression
        for widget in scene.widgets[1:]
        for line in lines_of(widget)
        if "SEARCH" in line.expression
    ]
    names = []
    for search in searches:
        match = re.fullmatch(
            r"(?:SUM\()?SEARCH\('\{Headgate,Service,Destination\} "
            r"""MetricName="(\w+)" Service="shop"', '(Sum|Maximum)', 60\)\)?""",
            search,
        )
        assert match is not None, search
        assert match[2] == statistic_of(match[1])
        names.append(match[1])
    assert names == [
        "DeliveredRecords",
        "RetriedRecords",
        "OldestRecordAge",
        "HeldBytes",
        "Paused",
        "UndeliverableRecords",
    ]


def test_what_comes_in_stands_against_what_the_shards_take(scene: Scene) -> None:
    taken = [
        line["value"]
        for widget in scene.widgets[1:]
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
        if line["label"] == CAPACITY
    ]
    assert taken == [4 * 1_000 * 60, 4 * 1_000_000 * 60]


def test_tasks_stand_against_how_many_there_may_be(scene: Scene) -> None:
    [tasks] = [widget for widget in scene.widgets[1:] if widget["properties"]["title"] == "Tasks"]
    lines = tasks["properties"]["annotations"]["horizontal"]
    assert [(line["label"], line["value"]) for line in lines][:2] == [("min_tasks", 3), ("max_tasks", 10)]


def test_alarms_can_be_had_without_a_dashboard() -> None:
    stack = new_stack()
    made = EventDashboard(stack, "Dashboard", streams=[EventStream(stack, "Events")], alarms_only=True)
    assert made.dashboard is None
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Dashboard", 0)
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Alarm", 3)


def test_a_hot_shard_can_be_watched_only_where_shards_are_measured() -> None:
    stack, thresholds = new_stack(), AlarmThresholds(hot_shard_percent=80)
    with pytest.raises(ValueError, match=r"Test/Events has no shard-level metric IncomingBytes") as caught:
        EventDashboard(stack, "One", streams=[EventStream(stack, "Events")], thresholds=thresholds)
    assert "\n" not in str(caught.value)
    measured = EventStream(stack, "All", shard_level_metrics=[kinesis.ShardLevelMetrics.ALL])
    made = EventDashboard(stack, "Two", streams=[measured, stream(stack)], thresholds=thresholds)
    assert [alarm.node.id for alarm in made.alarms].count("HotShard") == 2


def test_a_stream_alone_and_a_forwarder_alone_can_be_shown() -> None:
    stack = new_stack()
    EventDashboard(stack, "Dashboard", streams=[EventStream(stack, "Events")])
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Alarm", 3)
    scene = Scene(AlarmThresholds())
    assert len(scene.alarms) > 20


def test_alarms_with_no_action_have_none() -> None:
    stack = new_stack()
    EventDashboard(stack, "Dashboard", streams=[EventStream(stack, "Events")])
    for alarm in Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm["Properties"]


@pytest.mark.parametrize("on_demand", [True, False], ids=["on demand", "existing"])
def test_a_stream_whose_capacity_is_not_known_has_no_alarm_on_it(on_demand: bool) -> None:
    stack = new_stack()
    one = (
        EventStream(stack, "Events", stream_mode=kinesis.StreamMode.ON_DEMAND) if on_demand else stream(stack)
    )
    made = EventDashboard(stack, "Dashboard", streams=[one])
    assert {alarm.node.id for alarm in made.alarms} == {"ThrottledRecords", "FailedRecords"}


def test_several_streams_have_alarms_of_their_own() -> None:
    stack = new_stack()
    two = [EventStream(stack, "Clicks"), EventStream(stack, "Orders")]
    assert len(EventDashboard(stack, "Dashboard", streams=two).alarms) == 6


def test_rows_can_be_added_to_a_dashboard_that_is_there() -> None:
    stack = new_stack()
    mine = cloudwatch.Dashboard(stack, "Mine")
    made = EventDashboard(stack, "Dashboard", streams=[EventStream(stack, "Events")], dashboard=mine)
    assert made.dashboard is mine
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Dashboard", 1)


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({}, "streams and forwarder: there is nothing to show; give one of them, or both"),
        (
            {"streams": ["here"], "dashboard": "new", "dashboard_name": "events"},
            "dashboard and dashboard_name cannot be given together: a dashboard that is there has its name, "
            "and alarms alone need none; give one of them",
        ),
        (
            {"streams": ["elsewhere"]},
            "is not of region us-west-2, and an alarm watches metrics of its own region alone; make a "
            "dashboard in a stack there",
        ),
        (
            {"streams": ["theirs"]},
            "is not of account 123456789012, and an alarm watches metrics of its own account alone; make a "
            "dashboard in a stack there",
        ),
        (
            {"streams": ["here"], "thresholds": AlarmThresholds(consumer_lag_percent=50)},
            "consumer_lag_percent: the retention of events is not known here; leave it out for a stream that "
            "was not made here",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(props: dict[str, Any], said: str) -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account=ACCOUNT, region=REGION))
    arns = {
        "here": STREAM_ARN,
        "elsewhere": STREAM_ARN.replace(REGION, "eu-west-1"),
        "theirs": STREAM_ARN.replace(ACCOUNT, "999988887777"),
    }
    if "streams" in props:
        props = props | {"streams": [stream(stack, arns[name]) for name in props["streams"]]}
    if "dashboard" in props:
        props = props | {"dashboard": cloudwatch.Dashboard(stack, "Mine")}
    with pytest.raises(ValueError, match=r".") as caught:
        EventDashboard(stack, "Dashboard", **props)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
