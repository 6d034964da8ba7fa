"""The service around the forwarder, as AWS measures it: its load balancer and its tasks."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.dashboard.alarms import Alarms, percent
from constructs_lib.dashboard.graphs import graph
from constructs_lib.dashboard.thresholds import AlarmThresholds

if TYPE_CHECKING:
    from constructs_lib.forwarder import Forwarder

_MINUTE = Duration.minutes(1)


def service_rows(
    alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds
) -> list[list[cloudwatch.IWidget]]:
    """Make the alarms of load balancer and tasks, and return their graphs, with the alarms drawn in."""
    return [
        [
            _requests(alarms, forwarder, thresholds),
            _connections(alarms, forwarder, thresholds),
            _response_time(alarms, forwarder, thresholds),
            _health(alarms, forwarder, thresholds),
        ],
        [_load(alarms, forwarder, thresholds), _tasks(alarms, forwarder, thresholds)],
    ]


def _requests(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    of_targets = forwarder.target_group.metrics
    of_balancer = forwarder.load_balancer.metrics
    requests = of_balancer.request_count(statistic="Sum", period=_MINUTE, label="requests")
    target = percent(
        [of_targets.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, statistic="Sum", period=_MINUTE)],
        requests,
        "5xx of tasks, %",
    )
    own = of_balancer.http_code_elb(
        elbv2.HttpCodeElb.ELB_5XX_COUNT, statistic="Sum", period=_MINUTE, label="5xx of its own"
    )
    right = alarms.add(
        "Target5xx",
        target,
        thresholds.target_5xx_percent,
        minutes=(3, 5),
        what_to_do="Tasks answer 5xx: see UnavailableRequests first, then the log.",
    )
    left = alarms.add(
        "LoadBalancer5xx",
        own,
        thresholds.load_balancer_5xx,
        minutes=(3, 5),
        what_to_do="The load balancer found no task to answer: are there healthy ones, and enough?",
    )
    return graph(
        "Load balancer: requests",
        left=[requests, own],
        right=[target],
        left_annotations=left,
        right_annotations=right,
    )


def _connections(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    errors = forwarder.target_group.metrics.target_connection_error_count(
        statistic="Sum", period=_MINUTE, label="to tasks failed"
    )
    rejected = forwarder.load_balancer.metrics.rejected_connection_count(
        statistic="Sum", period=_MINUTE, label="rejected"
    )
    lines = alarms.add(
        "TargetConnectionErrors",
        errors,
        thresholds.connection_errors,
        minutes=(3, 5),
        what_to_do="The load balancer cannot connect to tasks: they die, or have no connection left.",
    )
    lines += alarms.add(
        "RejectedConnections",
        rejected,
        thresholds.rejected_connections,
        what_to_do="The load balancer is at its own limit of connections: ask AWS for more capacity units.",
    )
    return graph("Load balancer: connections", left=[errors, rejected], left_annotations=lines)


def _response_time(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    response = forwarder.target_group.metrics.target_response_time(
        statistic="p99", period=_MINUTE, label="p99"
    )
    line = alarms.add(
        "ResponseTime",
        response,
        thresholds.response_seconds,
        minutes=(5, 5),
        what_to_do="Requests wait long for Kinesis; SDKs give up at 10 to 15 s. See OldestHeld and the "
        "stream's own alarms.",
    )
    return graph("Load balancer: time to answer, s", left=[response], left_annotations=line)


def _health(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    unhealthy = forwarder.target_group.metrics.unhealthy_host_count(
        statistic="Maximum", period=_MINUTE, label="unhealthy"
    )
    healthy = forwarder.target_group.metrics.healthy_host_count(
        statistic="Minimum", period=_MINUTE, label="healthy"
    )
    lines = alarms.add(
        "UnhealthyTasks",
        unhealthy,
        thresholds.unhealthy_tasks,
        minutes=(10, 10),
        what_to_do="Tasks fail their health check: they drain, or never read the settings. The log says.",
    )
    lines += alarms.add(
        "HealthyTasks",
        healthy,
        _least(forwarder, thresholds.missing_healthy_tasks),
        minutes=(5, 5),
        too_few=True,
        what_to_do="Fewer tasks take requests than there should be. The service's events in ECS say why.",
    )
    return graph("Tasks behind the load balancer", left=[healthy, unhealthy], left_annotations=lines)


def _load(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    cpu = forwarder.service.metric_cpu_utilization(statistic="Average", period=_MINUTE, label="CPU %")
    memory = forwarder.service.metric_memory_utilization(
        statistic="Maximum", period=_MINUTE, label="memory %"
    )
    lines = alarms.add(
        "Cpu",
        cpu,
        thresholds.cpu_percent,
        minutes=(15, 15),
        what_to_do="Scaling does not bring the CPU down: max_tasks is reached. Raise it.",
    )
    lines += alarms.add(
        "Memory",
        memory,
        thresholds.memory_percent,
        minutes=(5, 5),
        what_to_do="Tasks are short of memory, and one that runs out is killed. Raise memory_mib, or lower "
        "what they may hold.",
        where="docs/delivery.md, Bounds",
    )
    return graph("Tasks: CPU and memory, %", left=[cpu, memory], left_annotations=lines)


def _tasks(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    running = forwarder.metric_running_tasks(label="running")
    lines = alarms.add(
        "RunningTasks",
        running,
        _least(forwarder, thresholds.missing_running_tasks),
        minutes=(5, 5),
        too_few=True,
        what_to_do="Fewer tasks run than there should be. The service's events in ECS say why.",
    )
    limits = [
        cloudwatch.HorizontalAnnotation(value=forwarder.min_tasks, label="min_tasks"),
        cloudwatch.HorizontalAnnotation(value=forwarder.max_tasks, label="max_tasks"),
    ]
    return graph("Tasks", left=[running], left_annotations=[*limits, *lines])


def _least(forwarder: "Forwarder", missing: float | None) -> float | None:
    """How many tasks there have to be: `missing` fewer than `min_tasks` are too few."""
    return None if missing is None else max(1, forwarder.min_tasks - missing + 1)
