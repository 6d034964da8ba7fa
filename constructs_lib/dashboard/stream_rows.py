"""A stream as its owner watches it: what comes in against what it takes, and what it refused."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis

from constructs_lib.capacity import SHARD_BYTES_IN_PER_SECOND, SHARD_RECORDS_PER_SECOND
from constructs_lib.dashboard.alarms import Alarms, percent
from constructs_lib.dashboard.graphs import graph
from constructs_lib.dashboard.thresholds import AlarmThresholds
from constructs_lib.event_stream_base import EventStreamBase

CAPACITY = "what the shards take"
"""How graphs name the line of a stream's limit."""

_MINUTE = Duration.minutes(1)
_MEASURES_BYTES = {kinesis.ShardLevelMetrics.INCOMING_BYTES, kinesis.ShardLevelMetrics.ALL}


def stream_rows(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[list[cloudwatch.IWidget]]:
    """Make a stream's alarms, and return its graphs, row by row, with the alarms drawn in.

    Raises:
        ValueError: an opt-in alarm needs to know something of the stream that is not known.
    """
    rows: list[list[cloudwatch.IWidget]] = [
        [
            _records(alarms, stream, thresholds),
            _bytes(stream),
            _refused(alarms, stream, thresholds),
            graph(
                f"{stream.stream_name}: PutRecords, ms",
                left=[
                    stream.metric_put_records_latency(label="p99"),
                    stream.metric_put_records_latency(statistic="p50", label="p50"),
                ],
            ),
        ],
        [
            _throttled(alarms, stream, thresholds),
            *_capacity(alarms, stream, thresholds),
            *_hot_shard(alarms, stream, thresholds),
        ],
    ]
    readers = _readers(alarms, stream, thresholds)
    return [*rows, readers] if readers else rows


def _taken(stream: EventStreamBase, per_second: int) -> list[cloudwatch.HorizontalAnnotation]:
    """The line of what a stream's shards take in a minute, if their number is known."""
    if stream.shard_count is None:
        return []
    taken = stream.shard_count * per_second * _MINUTE.to_seconds()
    return [cloudwatch.HorizontalAnnotation(value=taken, label=CAPACITY)]


def _records(alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    records, minutes = stream.metric_incoming_records(label="records"), thresholds.ingest_stopped_minutes
    line = alarms.add(
        "IngestStopped",
        records,
        None if minutes is None else 1,
        minutes=(minutes or 1, minutes or 1),
        too_few=True,
        what_to_do=f"Nothing came into {stream.stream_name}. Is the forwarder up, do clients reach it, do "
        "its destinations work? `headgate check` tells.",
    )
    return graph(
        f"{stream.stream_name}: records in",
        left=[records],
        left_annotations=[*_taken(stream, SHARD_RECORDS_PER_SECOND), *line],
    )


def _bytes(stream: EventStreamBase) -> cloudwatch.IWidget:
    return graph(
        f"{stream.stream_name}: bytes in",
        left=[stream.metric_incoming_bytes(label="bytes")],
        left_annotations=_taken(stream, SHARD_BYTES_IN_PER_SECOND),
    )


def _refused(alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    name = stream.stream_name
    failed = stream.metric_put_records_failed_records(label="failed")
    throttled = stream.metric_put_records_throttled_records(label="throttled")
    total = stream.metric_put_records_total_records(label="all")
    refused = percent([failed, throttled], total, "refused %")
    line = alarms.add(
        "FailedRecords",
        refused,
        thresholds.failed_percent,
        minutes=(5, 5),
        what_to_do=f"Records of PutRecords calls to {name} were throttled or failed. Throttled: more shards. "
        "Failed: look at the AWS Health Dashboard; they are sent again.",
    )
    return graph(
        f"{name}: records of PutRecords",
        left=[total, failed, throttled],
        right=[refused],
        right_annotations=line,
    )


def _throttled(alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    throttled = stream.metric_write_provisioned_throughput_exceeded(label="throttled")
    line = alarms.add(
        "ThrottledRecords",
        throttled,
        thresholds.throttled_records,
        minutes=(3, 5),
        what_to_do=f"Shards of {stream.stream_name} are at their limit, so records are late. `headgate "
        "shards` names the hot shard or key; add shards, or have the stream on demand.",
    )
    return graph(f"{stream.stream_name}: throttled", left=[throttled], left_annotations=line)


def _capacity(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[cloudwatch.IWidget]:
    """What of a provisioned stream's limits is used; one on demand, or not made here, has none to know."""
    if stream.shard_count is None:
        return []
    used = cloudwatch.MathExpression(
        expression="100 * MAX(["
        f"records / ({stream.shard_count} * {SHARD_RECORDS_PER_SECOND} * PERIOD(records)), "
        f"bytes / ({stream.shard_count} * {SHARD_BYTES_IN_PER_SECOND} * PERIOD(bytes))])",
        using_metrics={
            "records": stream.metric_incoming_records(),
            "bytes": stream.metric_incoming_bytes(),
        },
        label="capacity used %",
        period=_MINUTE,
    )
    line = alarms.add(
        "CapacityUsed",
        used,
        thresholds.capacity_percent,
        minutes=(10, 15),
        what_to_do=f"{stream.stream_name} has little room left: add shards before it throttles, at most "
        "twice as many per deployment.",
    )
    return [graph(f"{stream.stream_name}: capacity used, %", left=[used], left_annotations=line)]


def _hot_shard(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[cloudwatch.IWidget]:
    if thresholds.hot_shard_percent is None:
        return []
    measured = stream.shard_level_metrics
    if measured is not None and not _MEASURES_BYTES & set(measured):
        raise ValueError(
            f"hot_shard_percent: {stream.node.path} has no shard-level metric IncomingBytes, so its alarm "
            "could never go off; add ShardLevelMetrics.INCOMING_BYTES to its shard_level_metrics"
        )
    # A sum for each shard, as the maximum of IncomingBytes is that of one call; an alarm on several lines has
    # to order them. A SEARCH would draw them too, but CloudWatch has no alarm on one, and says so at deploy.
    shards = cloudwatch.MathExpression(
        expression="SELECT SUM(IncomingBytes) "  # noqa: S608 - of metrics, with a name that was checked
        'FROM SCHEMA("AWS/Kinesis", ShardId, StreamName) '
        f"WHERE StreamName = '{stream.stream_name}' GROUP BY ShardId ORDER BY SUM() DESC",
        label="bytes",
        period=_MINUTE,
    )
    line = alarms.add(
        "HotShard",
        shards,
        thresholds.hot_shard_percent / 100 * SHARD_BYTES_IN_PER_SECOND * _MINUTE.to_seconds(),
        minutes=(10, 15),
        what_to_do=f"One shard of {stream.stream_name} takes most: `headgate shards` names the partition "
        "keys. Split it, or set use_message_id where order per user is not needed.",
    )
    return [graph(f"{stream.stream_name}: bytes into each shard", left=[shards], left_annotations=line)]


def _readers(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[cloudwatch.IWidget]:
    name, widgets = stream.stream_name, cast("list[cloudwatch.IWidget]", [])
    if thresholds.consumer_lag_percent is not None:
        if stream.retention_period is None:
            raise ValueError(
                f"consumer_lag_percent: the retention of {stream.stream_name} is not known here; "
                "leave it out for a stream that was not made here"
            )
        lag = stream.metric_get_records_iterator_age_milliseconds(label="behind, ms")
        line = alarms.add(
            "ConsumerLag",
            lag,
            thresholds.consumer_lag_percent / 100 * stream.retention_period.to_milliseconds(),
            minutes=(5, 5),
            what_to_do=f"Readers of {name} are so far behind that records will be gone before they are read: "
            "mend or scale the reader, or lengthen the retention.",
        )
        widgets.append(graph(f"{name}: readers behind, ms", left=[lag], left_annotations=line))
    if thresholds.read_throttled is not None:
        read = stream.metric_read_provisioned_throughput_exceeded(label="throttled reads")
        line = alarms.add(
            "ReadThrottled",
            read,
            thresholds.read_throttled,
            minutes=(3, 5),
            what_to_do=f"Readers of {name} ask more than its shards give: 2 MB and 5 calls a second each. "
            "Use enhanced fan-out, or fewer readers.",
        )
        widgets.append(graph(f"{name}: throttled reads", left=[read], left_annotations=line))
    return widgets
