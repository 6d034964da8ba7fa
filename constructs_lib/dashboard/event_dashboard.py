"""The dashboard: streams and forwarder on one page, with an alarm for all that somebody has to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.checks import known
from constructs_lib.dashboard.alarms import Alarms
from constructs_lib.dashboard.forwarder_rows import forwarder_rows
from constructs_lib.dashboard.service_rows import service_rows
from constructs_lib.dashboard.stream_rows import stream_rows
from constructs_lib.dashboard.thresholds import AlarmThresholds
from constructs_lib.event_stream_base import EventStreamBase

if TYPE_CHECKING:
    from constructs_lib.forwarder import Forwarder


class EventDashboard(Construct):
    """Graphs of streams and of a forwarder, and an alarm for each thing that somebody has to mend.

    Every alarm is drawn in its graph, says what to do, and says what it makes of minutes without a
    measurement.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        streams: the streams, of the stack's own region, where alarms can watch them. May be empty.
        forwarder: the forwarder, if there is one.
        thresholds: when each alarm goes off, and which there are.
        alarm_actions: what is told when an alarm goes off and when it is over, such as `SnsAction(topic)`.
        dashboard: a dashboard that is there already, to add the rows to. Default: a new one.
        dashboard_name: name of the new one. Default: CloudFormation makes one.

    Raises:
        ValueError: there is nothing to show, a stream is in another region, or a prop excludes another.

    Attributes:
        dashboard: the dashboard.
        alarms: all alarms.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        streams: Sequence[EventStreamBase] = (),
        forwarder: "Forwarder | None" = None,
        thresholds: AlarmThresholds | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        dashboard: cloudwatch.Dashboard | None = None,
        dashboard_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        _check(Stack.of(self), streams, forwarder, dashboard, dashboard_name)
        limits = thresholds or AlarmThresholds()
        # What comes in and is refused first: it is what the forwarder below suffers from.
        self.alarms: list[cloudwatch.Alarm] = []
        rows: list[list[cloudwatch.IWidget]] = []
        for number, stream in enumerate(streams, start=1):
            made = Alarms(Construct(self, "Stream" if number == 1 else f"Stream{number}"), alarm_actions)
            rows += stream_rows(made, stream, limits)
            self.alarms += made.made
        if forwarder is not None:
            made = Alarms(Construct(self, "Forwarder"), alarm_actions)
            rows += forwarder_rows(made, forwarder, limits)
            rows += service_rows(made, forwarder, limits)
            self.alarms += made.made
        self.dashboard = dashboard or cloudwatch.Dashboard(self, "Resource", dashboard_name=dashboard_name)
        if self.alarms:
            self.dashboard.add_widgets(
                cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(self.alarms), width=24, height=4)
            )
        for row in rows:
            self.dashboard.add_widgets(*row)


def _check(
    stack: Stack,
    streams: Sequence[EventStreamBase],
    forwarder: "Forwarder | None",
    dashboard: cloudwatch.Dashboard | None,
    dashboard_name: str | None,
) -> None:
    if not streams and forwarder is None:
        raise ValueError("streams and forwarder: there is nothing to show; give one of them, or both")
    if dashboard is not None and dashboard_name is not None:
        raise ValueError(
            "dashboard and dashboard_name cannot be given together: a dashboard has its name; give one"
        )
    elsewhere = [
        each.stream_arn
        for each in streams
        if known(each.region) and known(stack.region) and each.region != stack.region
    ]
    if elsewhere:
        raise ValueError(
            f"streams: {', '.join(elsewhere)} is not in {stack.region}, and an alarm watches metrics of "
            "its own region alone; make a dashboard in a stack there"
        )
