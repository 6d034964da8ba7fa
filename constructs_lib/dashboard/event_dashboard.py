"""The dashboard: streams and forwarder on one page, with an alarm for all that somebody has to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.checks import check_only_one, known
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
        streams: the streams, of the stack's own account and region: an alarm sees no metrics of another's.
            May be empty.
        forwarder: the forwarder, if there is one.
        thresholds: when each alarm goes off, and which there are.
        alarm_actions: what is told when an alarm goes off and when it is over, such as `SnsAction(topic)`.
        dashboard: a dashboard that is there already, to add the rows to. Default: a new one.
        dashboard_name: name of the new one. Default: CloudFormation makes one.
        alarms_only: `True` makes the alarms and no dashboard.

    Raises:
        ValueError: there is nothing to show, a stream is in another account or region, a prop excludes
            another, or an opt-in alarm needs a metric of a stream, or its retention, that is not there.

    Attributes:
        dashboard: the dashboard; None with `alarms_only`.
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
        alarms_only: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        _check(Stack.of(self), streams, forwarder)
        check_only_one(
            {"dashboard": dashboard, "dashboard_name": dashboard_name, "alarms_only": alarms_only or None},
            why="a dashboard that is there has its name, and alarms alone need none",
        )
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
        self.dashboard: cloudwatch.Dashboard | None = None
        if not alarms_only:
            self.dashboard = dashboard or cloudwatch.Dashboard(
                self, "Resource", dashboard_name=dashboard_name
            )
            _draw(self.dashboard, self.alarms, rows)


def _draw(
    dashboard: cloudwatch.Dashboard,
    alarms: Sequence[cloudwatch.Alarm],
    rows: Sequence[Sequence[cloudwatch.IWidget]],
) -> None:
    if alarms:
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=4)
        )
    for row in rows:
        dashboard.add_widgets(*row)


def _check(stack: Stack, streams: Sequence[EventStreamBase], forwarder: "Forwarder | None") -> None:
    if not streams and forwarder is None:
        raise ValueError("streams and forwarder: there is nothing to show; give one of them, or both")
    for stream in streams:
        there = stream.stream.env
        for what, here, elsewhere in (
            ("region", stack.region, there.region),
            ("account", stack.account, there.account),
        ):
            if known(here) and known(elsewhere) and here != elsewhere:
                raise ValueError(
                    f"streams: {stream.stream_arn} is not of {what} {here}, and an alarm watches metrics of "
                    f"its own {what} alone; make a dashboard in a stack there"
                )
