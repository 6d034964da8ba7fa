"""Which metrics there are, and under which dimensions: our own registry, and what AWS' documents list."""

from headgate.metrics import names

OURS = {one.name: one for one in vars(names).values() if isinstance(one, names.Metric)}

THEIRS = {
    "AWS/Kinesis": (
        {
            "WriteProvisionedThroughputExceeded",
            "ReadProvisionedThroughputExceeded",
            "PutRecords.FailedRecords",
            "PutRecords.ThrottledRecords",
            "PutRecords.TotalRecords",
            "PutRecords.Latency",
            "IncomingRecords",
            "IncomingBytes",
            "GetRecords.IteratorAgeMilliseconds",
        },
        [{"StreamName"}],
    ),
    "AWS/ApplicationELB": (
        {
            "HTTPCode_Target_5XX_Count",
            "HTTPCode_ELB_5XX_Count",
            "RequestCount",
            "TargetConnectionErrorCount",
            "RejectedConnectionCount",
            "TargetResponseTime",
            "UnHealthyHostCount",
            "HealthyHostCount",
        },
        [{"LoadBalancer"}, {"LoadBalancer", "TargetGroup"}],
    ),
    "AWS/SQS": (
        {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage",
        },
        [{"QueueName"}],
    ),
    "AWS/ECS": ({"CPUUtilization", "MemoryUtilization"}, [{"ClusterName", "ServiceName"}]),
    "ECS/ContainerInsights": ({"RunningTaskCount"}, [{"ClusterName", "ServiceName"}]),
}


def assert_published(namespace: str, name: str, dimensions: dict[str, str]) -> None:
    """Fail for a metric that nobody writes, or not with these dimensions."""
    if namespace == "Headgate":
        assert not OURS[name].per_destination
        assert dimensions == {"Service": "shop"}
    else:
        metric_names, allowed = THEIRS[namespace]
        assert name in metric_names
        assert set(dimensions) in allowed


def statistic_of(name: str) -> str:
    """How several workers' values of one of our metrics make one, in docs/metrics.md's words."""
    metric = OURS[name]
    assert metric.per_destination
    return "Maximum" if isinstance(metric, names.Gauge) and metric.across == "max" else "Sum"
