"""A stream as its owner watches it: what comes in against what it takes, and what it refused."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.capacity import SHARD_BYTES_IN_PER_SECOND, SHARD_RECORDS_PER_SECOND
from constructs_lib.dashboard.alarms import Alarms, percent
from constructs_lib.dashboard.graphs import graph
from constructs_lib.dashboard.thresholds import AlarmThresholds
from constructs_lib.event_stream_base import EventStreamBase

_MINUTE = Duration.minutes(1)


def stream_rows(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[list[cloudwatch.IWidget]]:
    """Make a stream's alarms, and return its graphs, row by row, with the alarms drawn in.

    Raises:
        ValueError: an opt-in alarm needs to know something of the stream that is not known.
    """
    name = stream.stream_name
    throttled = stream.metric_write_provisioned_throughput_exceeded(label="throttled")
    throttled_line = alarms.add(
        "ThrottledRecords",
        throttled,
        thresholds.throttled_records,
        minutes=(3, 5),
        what_to_do=f"Shards of {name} are at their limit, so records are late. `headgate shards` names the "
        "hot shard or key; add shards, or have the stream on demand.",
    )
    refused = percent(
        [stream.metric_put_records_failed_records(), stream.metric_put_records_throttled_records()],
        stream.metric_put_records_total_records(),
        "refused %",
    )
    refused_line = alarms.add(
        "FailedRecords",
        refused,
        thresholds.failed_percent,
        minutes=(5, 5),
        what_to_do=f"Records of PutRecords calls to {name} were throttled or failed. Throttled: more shards. "
        "Failed: look at the AWS Health Dashboard; they are sent again.",
    )
    rows: list[list[cloudwatch.IWidget]] = [
        [
            graph(
                f"{name}: records and bytes in",
                left=[stream.metric_incoming_records(label="records")],
                right=[stream.metric_incoming_bytes(label="bytes")],
                left_annotations=_quiet(alarms, stream, thresholds),
            ),
            graph(f"{name}: throttled", left=[throttled], left_annotations=throttled_line),
            graph(f"{name}: refused by PutRecords", left=[refused], left_annotations=refused_line),
            graph(
                f"{name}: PutRecords, ms",
                left=[
                    stream.metric_put_records_latency(label="p99"),
                    stream.metric_put_records_latency(statistic="p50", label="p50"),
                ],
            ),
        ]
    ]
    second = [*_capacity(alarms, stream, thresholds), *_hot_shard(alarms, stream, thresholds)]
    second += _readers(alarms, stream, thresholds)
    return [*rows, second] if second else rows


def _quiet(
    alarms: Alarms, stream: EventStreamBase, thresholds: AlarmThresholds
) -> list[cloudwatch.HorizontalAnnotation]:
    minutes = thresholds.ingest_stopped_minutes
    return alarms.add(
        "IngestStopped",
        stream.metric_incoming_records(),
        None if minutes is None else 1,
        minutes=(minutes or 1, minutes or 1),
        below=True,
        nothing_is_bad=True,
        what_to_do=f"Nothing came into {stream.stream_name}. Is the forwarder up, do clients reach it, do "
        "its destinations work? `headgate check` tells.",
    )


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
    # A SEARCH would draw this too, but CloudWatch allows none in an alarm, and finds that out at deploy.
    hottest = cloudwatch.MathExpression(
        expression="SELECT MAX(IncomingBytes) "  # noqa: S608 - of metrics, with a name that was checked
        'FROM SCHEMA("AWS/Kinesis", ShardId, StreamName) '
        f"WHERE StreamName = '{stream.stream_name}'",
        label="hottest shard, bytes a minute",
        period=_MINUTE,
    )
    line = alarms.add(
        "HotShard",
        hottest,
        thresholds.hot_shard_percent / 100 * SHARD_BYTES_IN_PER_SECOND * _MINUTE.to_seconds(),
        minutes=(10, 15),
        what_to_do=f"One shard of {stream.stream_name} takes most: `headgate shards` names the partition "
        "keys. Split it, or set use_message_id where order per user is not needed.",
    )
    return [graph(f"{stream.stream_name}: hottest shard", left=[hottest], left_annotations=line)]


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
