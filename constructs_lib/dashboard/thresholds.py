"""When an alarm goes off. Each value is a prop, and None leaves its alarm out."""

from dataclasses import dataclass, fields

from constructs_lib.checks import check_integer, known

_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmThresholds:
    """The threshold of each alarm; None: there is no such alarm.

    Those whose default is None are opt-in, because they are wrong for many streams.

    Attributes:
        throttled_records: records a minute that a stream throttles, in 3 of 5 minutes. They are sent again:
            late, not lost.
        failed_percent: share of a stream's records that PutRecords throttled or failed, for 5 minutes.
        capacity_percent: of what a provisioned stream takes, in records or bytes, in 10 of 15 minutes: shards
            are not all as full, so the fullest throttles before 100.
        ingest_stopped_minutes: minutes in which a stream gets no record at all. Opt-in: only where there is
            never a quiet time.
        consumer_lag_percent: of the stream's retention, that readers are behind. Opt-in: 50 is AWS' advice.
        read_throttled: GetRecords calls a minute that a stream throttles, in 3 of 5 minutes. Opt-in.
        hot_shard_percent: of what one shard takes in bytes, in 10 of 15 minutes. Opt-in: only where the
            stream has the shard-level metric IncomingBytes, which CloudWatch charges for.
        dead_letters: messages in the dead-letter queue.
        overflow_messages: messages in the overflow queue, for 5 minutes.
        overflow_waiting_minutes: minutes, of which four in five find a message in the overflow queue. One may
            be hidden for 5 before it is tried again, so less would go off after outages that are over.
        oldest_held_seconds: age of the oldest record held, for 5 minutes. A request waits for 8 s.
        held_mib_per_task: MiB held, over all tasks, for each of `min_tasks`, for 5 minutes. Half of what a
            worker may hold. It never scales.
        paused: destinations that are paused, for 3 minutes. 1 is the only value of use.
        undeliverable_records: records a minute that no retry will bring in.
        unavailable_requests: requests a minute answered 503, in 3 of 5 minutes.
        refused_requests: requests a minute answered 429 for want of memory, in 3 of 5 minutes.
        lost_pixel_events: events of pixels a minute, which nobody sends again, that are gone.
        worker_restarts: workers that died, in 15 minutes.
        queue_failures: failed calls to the queues a minute, in 3 of 5 minutes.
        settings_failures: failed looks at the settings a minute, for 5 minutes.
        target_5xx_percent: share of requests that tasks answered with 5xx, in 3 of 5 minutes.
        load_balancer_5xx: 5xx a minute of the load balancer itself, in 3 of 5 minutes.
        unhealthy_tasks: tasks that fail their health check, for 10 minutes: longer than a deployment.
        connection_errors: failed connections a minute from the load balancer to tasks, in 3 of 5 minutes.
        rejected_connections: connections a minute that the load balancer had no room for.
        response_seconds: p99 of the time until a task answers, for 5 minutes. Half of the 8 s in which it
            answers in any case.
        cpu_percent: mean CPU of the tasks, for 15 minutes: more than scaling brings down.
        memory_percent: memory of the task that uses most, for 5 minutes.
        missing_healthy_tasks: by so many fewer than `min_tasks` take requests, for 5 minutes.
        missing_running_tasks: by so many fewer than `min_tasks` run, for 5 minutes. None where the cluster is
            not the forwarder's own and has no Container Insights: nobody counts them there.

    Raises:
        ValueError: a threshold is not above 0, a percentage above 100, or minutes not whole or more than a
            day, which is as far back as an alarm looks.
    """

    throttled_records: float | None = 1
    failed_percent: float | None = 1
    capacity_percent: float | None = 80
    ingest_stopped_minutes: int | None = None
    consumer_lag_percent: float | None = None
    read_throttled: float | None = None
    hot_shard_percent: float | None = None

    dead_letters: float | None = 1
    overflow_messages: float | None = 10_000
    overflow_waiting_minutes: int | None = 15
    oldest_held_seconds: float | None = 60
    held_mib_per_task: float | None = 48
    paused: float | None = 1
    undeliverable_records: float | None = 1
    unavailable_requests: float | None = 1
    refused_requests: float | None = 1
    lost_pixel_events: float | None = 1
    worker_restarts: float | None = 3
    queue_failures: float | None = 1
    settings_failures: float | None = 1
    target_5xx_percent: float | None = 1
    load_balancer_5xx: float | None = 1
    unhealthy_tasks: float | None = 1
    connection_errors: float | None = 1
    rejected_connections: float | None = 1
    response_seconds: float | None = 4
    cpu_percent: float | None = 80
    memory_percent: float | None = 80
    missing_healthy_tasks: float | None = 1
    missing_running_tasks: float | None = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if known(value) and not value > 0:
                raise ValueError(
                    f"{field.name}: {value!r} is not allowed; it must be above 0, or None for no such alarm"
                )
            if field.name.endswith("_percent") and known(value) and value > 100:
                raise ValueError(
                    f"{field.name}: {value!r} is not allowed; it must be 100 or less, or None for no alarm"
                )
            if field.name.endswith("_minutes"):
                check_integer(field.name, value, 1, _DAY, unit=" of minutes")
