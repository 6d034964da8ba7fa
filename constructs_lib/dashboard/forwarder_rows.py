"""A forwarder as its operator watches it: what it delivers, what it holds, and what waits in its queues."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.dashboard.alarms import Alarms
from constructs_lib.dashboard.graphs import graph
from constructs_lib.dashboard.thresholds import AlarmThresholds

if TYPE_CHECKING:
    from constructs_lib.forwarder import Forwarder

_MIB = 1024 * 1024
_QUARTER = Duration.minutes(15)


def forwarder_rows(
    alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds
) -> list[list[cloudwatch.IWidget]]:
    """Make a forwarder's alarms, and return its graphs, row by row, with the alarms drawn in."""
    return [
        [
            _events(alarms, forwarder, thresholds),
            _answers(alarms, forwarder, thresholds),
            graph(
                "Acknowledgement, ms",
                left=[
                    forwarder.metric_acknowledgement_latency(label="p99"),
                    forwarder.metric_acknowledgement_latency(statistic="p50", label="p50"),
                ],
            ),
            _held_time(alarms, forwarder, thresholds),
        ],
        [
            _held_bytes(alarms, forwarder, thresholds),
            _paused(alarms, forwarder, thresholds),
            _undeliverable(alarms, forwarder, thresholds),
            _dead_letters(alarms, forwarder, thresholds),
        ],
        [_overflow(alarms, forwarder, thresholds), _itself(alarms, forwarder, thresholds)],
    ]


def _events(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    lost = forwarder.metric("LostPixelEvents", label="pixels lost")
    line = alarms.add(
        "LostPixelEvents",
        lost,
        thresholds.lost_pixel_events,
        what_to_do="Events of pixels are gone for good, since no browser sends one again. The log says why: "
        "Kinesis and the overflow queue both refused.",
    )
    return graph(
        "Events",
        left=[
            forwarder.metric_accepted_events(label="accepted"),
            forwarder.metric_sum_of_destinations("DeliveredRecords", "delivered"),
            forwarder.metric_sum_of_destinations("RetriedRecords", "sent again"),
        ],
        right=[forwarder.metric_rejected_events(label="rejected"), lost],
        right_annotations=line,
    )


def _answers(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    unavailable = forwarder.metric_unavailable_requests(label="503")
    refused = forwarder.metric_refused_requests(label="429, memory")
    lines = alarms.add(
        "UnavailableRequests",
        unavailable,
        thresholds.unavailable_requests,
        minutes=(3, 5),
        what_to_do="Clients are answered 503 and give up after a while. A destination is paused, or neither "
        "Kinesis nor the overflow queue takes records: `headgate check`, and the log.",
    )
    lines += alarms.add(
        "RefusedRequests",
        refused,
        thresholds.refused_requests,
        minutes=(3, 5),
        what_to_do="Clients are answered 429, because memory is full of what Kinesis does not take: more "
        "shards, or look why it refuses.",
    )
    return graph(
        "Requests not taken",
        left=[unavailable, refused, forwarder.metric("RateLimitedRequests", label="429, rate")],
        left_annotations=lines,
    )


def _held_time(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    oldest = forwarder.metric_of_destinations("MAX", "OldestRecordAge", "oldest held, s")
    line = alarms.add(
        "OldestHeld",
        oldest,
        thresholds.oldest_held_seconds,
        minutes=(5, 5),
        what_to_do="Kinesis takes less than comes in: too few shards, or one that is hot. `headgate shards` "
        "tells which.",
    )
    return graph(
        "Oldest record held, s",
        left=[forwarder.metric_by_destination("Maximum", "OldestRecordAge")],
        left_annotations=line,
    )


def _held_bytes(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    held = forwarder.metric_of_destinations("SUM", "HeldBytes", "all")
    per_task = thresholds.held_mib_per_task
    line = alarms.add(
        "HeldBytes",
        held,
        None if per_task is None else per_task * _MIB * forwarder.min_tasks,
        minutes=(5, 5),
        what_to_do="Tasks hold much that Kinesis does not take. More tasks would press the same shards: add "
        "shards, or mend the destination that is paused.",
    )
    return graph(
        "Held, bytes",
        left=[held, forwarder.metric_by_destination("Sum", "HeldBytes")],
        left_annotations=line,
    )


def _paused(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    line = alarms.add(
        "Paused",
        forwarder.metric_of_destinations("MAX", "Paused", "paused"),
        thresholds.paused,
        minutes=(3, 3),
        what_to_do="A destination is paused until its stream, role or key is mended. The log and `headgate "
        "check` name it, with AWS' words. It goes on by itself.",
    )
    return graph(
        "Paused destinations",
        left=[forwarder.metric_by_destination("Maximum", "Paused")],
        left_annotations=line,
    )


def _undeliverable(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    line = alarms.add(
        "UndeliverableRecords",
        forwarder.metric_of_destinations("SUM", "UndeliverableRecords", "undeliverable"),
        thresholds.undeliverable_records,
        what_to_do="Records that no retry will bring in went to the dead letters: `headgate redrive` after "
        "their reason is mended.",
    )
    return graph(
        "Undeliverable records",
        left=[forwarder.metric_by_destination("Sum", "UndeliverableRecords")],
        left_annotations=line,
    )


def _overflow(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    messages, minutes = forwarder.metric_overflow_messages(), thresholds.overflow_waiting_minutes
    lines = alarms.add(
        "OverflowMessages",
        messages,
        thresholds.overflow_messages,
        minutes=(5, 5),
        what_to_do="The overflow queue fills: Kinesis takes less than comes in for long. Nothing is lost "
        "for 13 days.",
        where="docs/overflow.md",
    )
    # Not SQS' age of the oldest message: it leaves out what was received three times. And SQS counts
    # approximately, so a fifth of the minutes may say that nothing waits.
    lines += alarms.add(
        "OverflowWaiting",
        messages,
        None if minutes is None else 1,
        minutes=((minutes or 1) - (minutes or 1) // 5, minutes or 1),
        what_to_do="Something waits in the overflow queue all the time. Is a destination paused, or its "
        "stream too small? Nothing is lost for 13 days.",
        where="docs/overflow.md",
    )
    return graph(
        "Overflow queue",
        left=[messages],
        right=[forwarder.metric_overflow_age(label="oldest, s")],
        left_annotations=lines,
    )


def _dead_letters(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    waiting = forwarder.metric_dead_letters(label="messages")
    line = alarms.add(
        "DeadLetters",
        waiting,
        thresholds.dead_letters,
        what_to_do="Records that no stream takes wait here for 14 days: look at their reasons, mend them, "
        "and send them again with `headgate redrive`.",
        where="docs/overflow.md",
    )
    return graph("Dead letters", left=[waiting], left_annotations=line)


def _itself(alarms: Alarms, forwarder: "Forwarder", thresholds: AlarmThresholds) -> cloudwatch.IWidget:
    restarts = forwarder.metric("WorkerRestarts", period=_QUARTER, label="workers restarted")
    queues = forwarder.metric("QueueFailures", label="queue failures")
    settings = forwarder.metric("SettingsFailures", label="settings failures")
    lines = alarms.add(
        "WorkerRestarts",
        restarts,
        thresholds.worker_restarts,
        what_to_do="Workers die. The log says with which status: out of memory, for one.",
    )
    lines += alarms.add(
        "QueueFailures",
        queues,
        thresholds.queue_failures,
        minutes=(3, 5),
        what_to_do="Calls to the overflow or dead-letter queue fail, so what spills cannot be made safe. The "
        "log has SQS' words.",
        where="docs/overflow.md",
    )
    lines += alarms.add(
        "SettingsFailures",
        settings,
        thresholds.settings_failures,
        minutes=(5, 5),
        what_to_do="The settings are not valid or cannot be read; the last good ones stay in force. The log "
        "names the place in them.",
    )
    return graph("The forwarder itself", left=[restarts, queues, settings], left_annotations=lines)
