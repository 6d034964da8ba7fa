"""The metrics of a forwarder that its owner watches, each with the statistic that means something.

Those in the namespace Headgate are written by the forwarder itself, once a minute, and docs/metrics.md says
what each means. Those of its load balancer, service and queues are AWS' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from aws_cdk import Duration

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_sqs as sqs

    from constructs_lib.stream_metrics import MetricOptions

NAMESPACE = "Headgate"
CONTAINER_INSIGHTS = "ECS/ContainerInsights"
_MINUTE = Duration.minutes(1)


class ForwarderMetrics:
    """The `metric_*` methods of a forwarder: sums or maxima over each minute, unless told otherwise."""

    service_name: str
    service: ecs.FargateService
    cluster: ecs.ICluster
    load_balancer: elbv2.ApplicationLoadBalancer
    target_group: elbv2.ApplicationTargetGroup
    overflow_queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Any metric of the namespace Headgate that has the dimension Service alone."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        options.setdefault("statistic", "Sum")
        options.setdefault("period", _MINUTE)
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"Service": self.service_name},
            **options,
        )

    def metric_of_destinations(
        self, function: str, metric_name: str, label: str | None = None
    ) -> cloudwatch.MathExpression:
        """Any metric of the namespace Headgate that has a Destination, over all of them, for alarms.

        It is a Metrics Insights query: a destination that the settings gain tomorrow is in it, as it would
        not be in an expression that names destinations. CloudWatch allows one such query in an alarm and one
        in a graph, and 200 alarms on them in a region.

        Args:
            function: `SUM` or `MAX`, as docs/metrics.md has it for the metric.
            metric_name: its name.
            label: what a graph calls it. Default: its name.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.MathExpression(
            expression=f"SELECT {function}({metric_name}) "  # noqa: S608 - of metrics, with a name that was checked
            f'FROM SCHEMA("{NAMESPACE}", Service, Destination) '
            f"WHERE Service = '{self.service_name}'",
            label=label or metric_name,
            period=_MINUTE,
        )

    def metric_by_destination(self, statistic: str, metric_name: str) -> cloudwatch.MathExpression:
        """Any metric of the namespace Headgate that has a Destination, a line for each, for graphs.

        It is a search, which a graph may hold many of, and which no alarm may hold.

        Args:
            statistic: `Sum` or `Maximum`, as docs/metrics.md has it for the metric.
            metric_name: its name.
        """
        return self._search(statistic, metric_name, "{}", "${PROP('Dim.Destination')}")

    def metric_sum_of_destinations(self, metric_name: str, label: str) -> cloudwatch.MathExpression:
        """The sum of such a metric over all destinations, for graphs: it is a search too."""
        return self._search("Sum", metric_name, "SUM({})", label)

    def _search(self, statistic: str, metric_name: str, whole: str, label: str) -> cloudwatch.MathExpression:
        from aws_cdk import aws_cloudwatch as cloudwatch

        search = (
            f"SEARCH('{{{NAMESPACE},Service,Destination}} "
            f"""MetricName="{metric_name}" Service="{self.service_name}"', '{statistic}', 60)"""
        )
        return cloudwatch.MathExpression(expression=whole.format(search), label=label, period=_MINUTE)

    def metric_accepted_events(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Events of requests that were taken."""
        return self.metric("AcceptedEvents", **options)

    def metric_rejected_events(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Events that break the Spec or its limits."""
        return self.metric("RejectedEvents", **options)

    def metric_unavailable_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered 503."""
        return self.metric("UnavailableRequests", **options)

    def metric_refused_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered 429 because memory is full of what Kinesis does not take."""
        return self.metric("RefusedRequests", **options)

    def metric_acknowledgement_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Milliseconds from a request to its answer: p99 unless told otherwise."""
        options.setdefault("statistic", "p99")
        return self.metric("AcknowledgementLatency", **options)

    def metric_running_tasks(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Tasks that run, which Container Insights counts; a cluster handed in must have it."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        options.setdefault("statistic", "Minimum")
        options.setdefault("period", _MINUTE)
        return cloudwatch.Metric(
            namespace=CONTAINER_INSIGHTS,
            metric_name="RunningTaskCount",
            dimensions_map={
                "ClusterName": self.cluster.cluster_name,
                "ServiceName": self.service.service_name,
            },
            **options,
        )

    def metric_overflow_messages(self, label: str = "messages") -> cloudwatch.MathExpression:
        """All messages in the overflow queue, those included that are hidden until they are tried again."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.MathExpression(
            expression="waiting + hidden",
            using_metrics={
                "waiting": _queue_metric(self.overflow_queue, "ApproximateNumberOfMessagesVisible", {}),
                "hidden": _queue_metric(self.overflow_queue, "ApproximateNumberOfMessagesNotVisible", {}),
            },
            label=label,
            period=_MINUTE,
        )

    def metric_overflow_age(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Seconds that the oldest message has been in the overflow queue, which is not for an alarm.

        SQS leaves out a message that was received three times, as every message is in an outage.
        """
        return _queue_metric(self.overflow_queue, "ApproximateAgeOfOldestMessage", options)

    def metric_dead_letters(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Messages that wait in the dead-letter queue, the most of each minute."""
        return _queue_metric(self.dead_letter_queue, "ApproximateNumberOfMessagesVisible", options)


def _queue_metric(queue: sqs.IQueue, name: str, options: MetricOptions) -> cloudwatch.Metric:
    options.setdefault("statistic", "Maximum")
    options.setdefault("period", _MINUTE)
    return queue.metric(name, **options)
