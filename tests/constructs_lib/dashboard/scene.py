"""A stream and a forwarder under a dashboard, with every alarm that there is."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from constructs_lib import EventStream
from constructs_lib.dashboard import AlarmThresholds, EventDashboard
from tests.constructs_lib.forwarder.scene import forwarder, new_stack

TOPIC_ARN = "arn:aws:sns:us-west-2:123456789012:alarms"
EVERY_ALARM = AlarmThresholds(
    ingest_stopped_minutes=15, consumer_lag_percent=50, read_throttled=1, hot_shard_percent=80
)


class Scene:
    """What CloudFormation gets of it."""

    def __init__(self, thresholds: AlarmThresholds | None = EVERY_ALARM, **props: Any) -> None:
        self.stack = new_stack()
        self.stream = EventStream(
            self.stack,
            "Events",
            stream_name="events",
            shard_count=4,
            shard_level_metrics=[kinesis.ShardLevelMetrics.INCOMING_BYTES],
        )
        self.forwarder = forwarder(self.stack, service_name="shop", min_tasks=3)
        props.setdefault("alarm_actions", self.to_topic())
        self.dashboard = EventDashboard(
            self.stack,
            "Dashboard",
            streams=[self.stream],
            forwarder=self.forwarder,
            thresholds=thresholds,
            **props,
        )

    def to_topic(self) -> Sequence[cloudwatch.IAlarmAction]:
        return [actions.SnsAction(sns.Topic.from_topic_arn(self.stack, "Topic", TOPIC_ARN))]

    @cached_property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """The properties of every alarm, by the id that says what is the matter."""
        found = Template.from_stack(self.stack).find_resources("AWS::CloudWatch::Alarm")
        return {_id_of(name): alarm["Properties"] for name, alarm in found.items()}

    @cached_property
    def widgets(self) -> list[dict[str, Any]]:
        """The dashboard's widgets, with references written as their logical ids."""
        found = Template.from_stack(self.stack).find_resources("AWS::CloudWatch::Dashboard")
        [dashboard] = found.values()
        body = dashboard["Properties"]["DashboardBody"]
        widgets: list[dict[str, Any]] = json.loads(text_of(body))["widgets"]
        return widgets


def _id_of(logical_id: str) -> str:
    return re.sub(r"^Dashboard(Forwarder|Stream\d*)|[0-9A-F]{8}$", "", logical_id)


def text_of(value: Any) -> str:
    """A text of a template, with each reference written as a word."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(map(text_of, value["Fn::Join"][1]))
    return value if isinstance(value, str) else "".join(c for c in json.dumps(value) if c.isalnum())


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Every metric that an alarm watches; none for a Metrics Insights query."""
    if "Metrics" not in alarm:
        return [alarm | {"Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"]}]
    stats = [one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one]
    return [one["Metric"] | {"Stat": one["Stat"], "Period": one["Period"]} for one in stats]


@dataclass(frozen=True)
class Line:
    """One thing that a graph draws, or computes with: a metric, or an expression."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    expression: str
    options: dict[str, Any]


def lines_of(widget: dict[str, Any]) -> list[Line]:
    """What a graph draws, from CloudWatch's form of it: names and values in a row, and options last."""
    lines = []
    for *texts, options in widget["properties"]["metrics"]:
        namespace, name, *pairs = texts or ("", "")
        dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
        lines.append(Line(namespace, name, dimensions, options.get("expression", ""), options))
    return lines


def query_of(alarm: dict[str, Any]) -> str:
    """The Metrics Insights query of an alarm, or nothing."""
    texts = [one["Expression"] for one in alarm.get("Metrics", ()) if "Expression" in one]
    [text] = [text if isinstance(text, str) else json.dumps(text) for text in texts] or [""]
    return text if "SELECT" in text else ""
