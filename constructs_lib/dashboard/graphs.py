"""How every graph looks."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

WIDTH, HEIGHT = 6, 6
"""Four in a row: a dashboard is 24 wide."""


def graph(
    title: str,
    *,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
    left_annotations: Sequence[cloudwatch.HorizontalAnnotation] = (),
    right_annotations: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.GraphWidget:
    """Return a graph of each minute, from zero up."""
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_annotations=list(left_annotations),
        right_annotations=list(right_annotations),
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        right_y_axis=cloudwatch.YAxisProps(min=0, show_units=False) if right else None,
        period=Duration.minutes(1),
        width=WIDTH,
        height=HEIGHT,
    )
