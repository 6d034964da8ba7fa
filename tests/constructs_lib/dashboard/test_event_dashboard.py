"""The dashboard shows what its alarms watch, and refuses what it cannot show."""

from typing import Any

import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk.assertions import Template

from constructs_lib import EventStream
from constructs_lib.dashboard import AlarmThresholds, EventDashboard
from tests.constructs_lib.dashboard.scene import Scene
from tests.constructs_lib.forwarder.scene import STREAM_ARN, new_stack, stream


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
    drawn = [line["value"] for line in lines if line["label"] not in ("min_tasks", "max_tasks")]
    assert sorted(drawn) == sorted(alarm["Threshold"] for alarm in scene.alarms.values())


def test_rows_fit_the_width_of_a_dashboard_and_no_graph_is_empty(scene: Scene) -> None:
    assert all(widget["x"] + widget["width"] <= 24 for widget in scene.widgets)
    assert all(widget["properties"]["metrics"] for widget in scene.widgets[1:])


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
    assert [alarm.node.id for alarm in made.alarms] == ["ThrottledRecords", "FailedRecords"]


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
            "dashboard and dashboard_name cannot be given together: a dashboard has its name; give one",
        ),
        (
            {"streams": ["elsewhere"]},
            "is not in us-west-2, and an alarm watches metrics of its own region alone; make a dashboard "
            "in a stack there",
        ),
        (
            {"streams": ["here"], "thresholds": AlarmThresholds(consumer_lag_percent=50)},
            "consumer_lag_percent: the retention of events is not known here; leave it out for a stream that "
            "was not made here",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(props: dict[str, Any], said: str) -> None:
    stack = new_stack()
    arns = {"here": STREAM_ARN, "elsewhere": STREAM_ARN.replace("us-west-2", "eu-west-1")}
    if "streams" in props:
        props = props | {"streams": [stream(stack, arns[name]) for name in props["streams"]]}
    if "dashboard" in props:
        props = props | {"dashboard": cloudwatch.Dashboard(stack, "Mine")}
    with pytest.raises(ValueError, match=r".") as caught:
        EventDashboard(stack, "Dashboard", **props)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
