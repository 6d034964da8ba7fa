"""What an operator looks at, and what calls him: the dashboard and its alarms."""

from constructs_lib.dashboard.event_dashboard import EventDashboard
from constructs_lib.dashboard.thresholds import AlarmThresholds

__all__ = ["AlarmThresholds", "EventDashboard"]
