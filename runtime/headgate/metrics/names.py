"""The one registry of metrics. Code, documents and dashboards use these names and no others.

A metric that is `per_destination` has the dimensions Service and Destination, any other Service alone. What
is `per_audience` is told twice, with Service alone and with Service and Audience. There is none per shard
or per source: every combination of dimensions is a metric that CloudWatch bills.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Unit = Literal["Count", "Bytes", "Seconds", "Milliseconds", "None"]
"""CloudWatch's own words for units; those that are used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its name in CloudWatch, its unit, and in one sentence what it says."""

    kind: ClassVar[str]
    name: str
    unit: Unit
    meaning: str
    per_destination: bool
    per_audience: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Metric):
    """Grows while the process lives; CloudWatch is told what came in since the last time."""

    kind: ClassVar[str] = "counter"
    unit: Unit = "Count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Metric):
    """Goes up and down, and is read when it is told."""

    kind: ClassVar[str] = "gauge"
    across: Literal["sum", "max"]
    """How several values of it, of several workers for one, make one."""
    quiet_at_zero: bool = True
    """Whether zero means that there is nothing to tell; else its value alone never makes a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution(Metric):
    """Many values of which percentiles matter."""

    kind: ClassVar[str] = "distribution"
    unit: Unit = "Milliseconds"


ACCEPTED_EVENTS = Counter(
    name="AcceptedEvents",
    per_destination=False,
    meaning="Valid events of requests that were taken: all their records are queued or safe.",
)
REJECTED_EVENTS = Counter(
    name="RejectedEvents",
    per_destination=False,
    meaning="Events that break the Spec or its limits; the answer names each with its code.",
)
EXCLUDED_EVENTS = Counter(
    name="ExcludedEvents",
    per_destination=True,
    meaning="Events kept from the destination: it or its source is disabled, or `integrations` excludes it.",
)
LOST_PIXEL_EVENTS = Counter(
    name="LostPixelEvents",
    per_destination=False,
    meaning="Events of pixel requests, which nobody sends again, that could not be made safe.",
)
RATE_LIMITED_REQUESTS = Counter(
    name="RateLimitedRequests",
    per_destination=False,
    meaning="Requests answered 429 because their source sends more than its `max_events_per_second`.",
)
REFUSED_REQUESTS = Counter(
    name="RefusedRequests",
    per_destination=False,
    meaning="Requests answered 429 because a lane, a destination or the process holds all it may.",
)
UNAVAILABLE_REQUESTS = Counter(
    name="UnavailableRequests",
    per_destination=False,
    meaning="Requests answered 503: a destination is paused, or the deadline came first.",
)
ACKNOWLEDGEMENT_LATENCY = Distribution(
    name="AcknowledgementLatency",
    per_destination=False,
    meaning="Time from a request that was taken to its answer.",
)
SETTINGS_FAILURES = Counter(
    name="SettingsFailures",
    per_destination=False,
    meaning="Looks at the settings that could not read them, or found them not valid.",
)
WORKER_RESTARTS = Counter(
    name="WorkerRestarts",
    per_destination=False,
    meaning="Workers that were started again after one died.",
)

DELIVERED_RECORDS = Counter(
    name="DeliveredRecords",
    per_destination=True,
    meaning="Records that Kinesis has said yes to.",
)
RETRIED_RECORDS = Counter(
    name="RetriedRecords",
    per_destination=True,
    meaning="Records that went back to be sent again, for whatever reason.",
)
THROTTLED_RECORDS = Counter(
    name="ThrottledRecords",
    per_destination=True,
    meaning="Records that Kinesis refused because their shard, or the stream's key, was at its limit.",
)
UNDELIVERABLE_RECORDS = Counter(
    name="UndeliverableRecords",
    per_destination=True,
    meaning="Records that Kinesis will never take, whatever is mended.",
)
POSSIBLE_DUPLICATES = Counter(
    name="PossibleDuplicates",
    per_destination=True,
    meaning="Records sent again though Kinesis may have them: the outcome of their request is unknown.",
)
REPLACED_PARTITION_KEYS = Counter(
    name="ReplacedPartitionKeys",
    per_destination=True,
    meaning="Records whose partition key was empty or longer than 256, so that its hash stands in for it.",
)
HELD_BYTES = Gauge(
    name="HeldBytes",
    unit="Bytes",
    per_destination=True,
    across="sum",
    meaning="Data and partition keys of the records that are queued or in flight.",
)
HELD_RECORDS = Gauge(
    name="HeldRecords",
    unit="Count",
    per_destination=True,
    across="sum",
    meaning="Records that are queued or in flight.",
)
OLDEST_RECORD_AGE = Gauge(
    name="OldestRecordAge",
    unit="Seconds",
    per_destination=True,
    across="max",
    meaning="How long the oldest record held has waited.",
)
PUT_LATENCY = Distribution(
    name="PutLatency",
    per_destination=True,
    meaning="Time from sending a PutRecords or PutRecord request to Kinesis' answer or its failure.",
)
CREDENTIALS_AGE = Gauge(
    name="CredentialsAge",
    unit="Seconds",
    per_destination=True,
    across="max",
    quiet_at_zero=False,
    meaning="How long ago the credentials in use were fetched; those of a role live 3,600 at most.",
)
SINGLES_MODE = Gauge(
    name="SinglesMode",
    unit="None",
    per_destination=True,
    across="max",
    meaning="1 while the destination sends PutRecord because its role may not send PutRecords, else 0.",
)
PAUSED = Gauge(
    name="Paused",
    unit="None",
    per_destination=True,
    across="max",
    meaning="1 while the destination is paused until somebody mends its stream, role or key, else 0.",
)
SPILLED_RECORDS = Counter(
    name="SpilledRecords",
    per_destination=True,
    meaning="Records put into the overflow queue because Kinesis did not take them in time.",
)
DRAINED_RECORDS = Counter(
    name="DrainedRecords",
    per_destination=True,
    meaning="Records of the overflow queue that Kinesis has said yes to.",
)
DEAD_LETTERS = Counter(
    name="DeadLetters",
    per_destination=False,
    meaning="Records, and overflow messages that nobody can read, put into the dead letters.",
)
QUEUE_FAILURES = Counter(
    name="QueueFailures",
    per_destination=False,
    meaning="Calls to the overflow or dead-letter queue that failed, wholly or partly, or took too long.",
)

AUDIENCE_SYNCS = Counter(
    name="AudienceSyncs",
    per_destination=False,
    per_audience=True,
    meaning="Syncs of an audience or a computed trait that ended with every call delivered.",
)
AUDIENCE_SYNC_FAILURES = Counter(
    name="AudienceSyncFailures",
    per_destination=False,
    per_audience=True,
    meaning="Syncs that were refused, could not go on, or left out calls that can never be delivered.",
)
AUDIENCE_CALLS = Counter(
    name="AudienceCalls",
    per_destination=False,
    per_audience=True,
    meaning="Identify calls that a sync delivered to every destination of its source.",
)
AUDIENCE_MEMBERS = Gauge(
    name="AudienceMembers",
    unit="Count",
    per_destination=False,
    per_audience=True,
    across="max",
    meaning="Identifiers in an audience, or with a value of a trait, at the end of a sync.",
)

METRICS: dict[str, Metric] = {
    each.name: each for each in list(globals().values()) if isinstance(each, Metric)
}
"""Every metric by its name in CloudWatch."""
