"""How every alarm is made: what it says when nothing is measured, and what it tells whoever it wakes."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


class Alarms:
    """Makes alarms that all have the same actions.

    Args:
        scope: where to make them.
        actions: what is told when one goes off, and when it is over.

    Attributes:
        made: the alarms, in the order in which they were made.
    """

    def __init__(self, scope: Construct, actions: Sequence[cloudwatch.IAlarmAction]) -> None:
        self.scope = scope
        self.made: list[cloudwatch.Alarm] = []
        self._actions = list(actions)

    def add(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        threshold: float | None,
        *,
        minutes: tuple[int, int] = (1, 1),
        too_few: bool = False,
        what_to_do: str,
        where: str = "docs/metrics.md, Alarms",
    ) -> list[cloudwatch.HorizontalAnnotation]:
        """Make one alarm, if there is a threshold for it, and return its line in a graph.

        Args:
            construct_id: its id, which says what is the matter.
            metric: what is watched.
            threshold: from where on it is bad; None for no alarm.
            minutes: how many periods have to be bad, of how many.
            too_few: whether less than `threshold` is bad, and no measurement at all too. Default: `threshold`
                and more is bad, and no measurement good.
            what_to_do: what the one who is woken can do about it.
            where: which document says more.
        """
        if threshold is None:
            return []
        alarm = cloudwatch.Alarm(
            self.scope,
            construct_id,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            if too_few
            else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            datapoints_to_alarm=minutes[0],
            evaluation_periods=minutes[1],
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING
            if too_few
            else cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{what_to_do} See {where}.",
        )
        alarm.add_alarm_action(*self._actions)
        alarm.add_ok_action(*self._actions)
        self.made.append(alarm)
        return [alarm.to_annotation()]


def percent(
    part: Sequence[cloudwatch.IMetric], whole: cloudwatch.Metric, label: str
) -> cloudwatch.MathExpression:
    """Return the share that the sum of `part` is of `whole`, 0 where there is no whole."""
    names = [f"part{number}" for number in range(len(part))]
    return cloudwatch.MathExpression(
        expression=f"100 * ({' + '.join(f'FILL({name}, 0)' for name in names)}) / IF(whole > 0, whole, 1)",
        using_metrics={**dict(zip(names, part, strict=True)), "whole": whole},
        label=label,
        period=whole.period,
    )
