"""The stream that events are delivered into: sized, encrypted, kept, and granted to writers."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.capacity import ShardCapacity
from constructs_lib.checks import check_integer, check_only_one, known
from constructs_lib.event_stream_base import EventStreamBase, check_key
from constructs_lib.removal import check_removal

RETENTION_HOURS = (24, 8_760)
MAX_RECORD_KIB = (1_024, 10_240)
WARM_THROUGHPUT_MIBPS = (1, 10_240)

_STREAM_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")


class Encryption(StrEnum):
    """How a stream is encrypted at rest."""

    MANAGED = "managed"
    """With the key that AWS manages, `alias/aws/kinesis`: writers need no KMS permission."""
    CUSTOMER_KEY = "customer_key"
    """With a customer managed key: a new one that rotates each year, or the one given as `encryption_key`."""
    NONE = "none"
    """Not at all. Nothing chooses this but you."""


class EventStream(EventStreamBase):
    """A Kinesis stream for events.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`; part of the stream's logical id, so a change of it replaces it.
        stream_name: `[a-zA-Z0-9_.-]`, 1 to 128 characters (CreateStream). Default: CloudFormation makes one.
        shard_count: provisioned shards, 1 or more. Default: 1, unless `capacity` or on demand.
        capacity: provisioned shards as computed by `ShardCapacity.for_load`, in place of `shard_count`.
        stream_mode: `StreamMode.ON_DEMAND` for capacity that follows the load. Default: provisioned.
        warm_throughput_mibps: MiB a second that an on-demand stream takes at once, 1 to 10,240. The account
            and region must be on the On-demand Advantage mode (UpdateStreamWarmThroughput).
        retention_period: 24 to 8,760 whole hours (IncreaseStreamRetentionPeriod). Default: 24.
        max_record_kib: the largest record, 1,024 to 10,240 KiB (UpdateMaxRecordSize). Default: 1,024.
        encryption: default `Encryption.MANAGED`, or `CUSTOMER_KEY` when `encryption_key` is given.
        encryption_key: an existing customer managed key.
        shard_level_metrics: metrics per shard, which CloudWatch charges for. Default: none.
        removal_policy: what becomes of stream and new key when the stack lets go of them. Default: RETAIN.
            DESTROY counts only where the context key `headgate:allow-destroy` is true too.

    Raises:
        ValueError: a prop is out of its range or excludes another; the text names it and the way out.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream_name: str | None = None,
        shard_count: int | None = None,
        capacity: ShardCapacity | None = None,
        stream_mode: kinesis.StreamMode = kinesis.StreamMode.PROVISIONED,
        warm_throughput_mibps: int | None = None,
        retention_period: Duration | None = None,
        max_record_kib: int | None = None,
        encryption: Encryption | None = None,
        encryption_key: kms.IKey | None = None,
        shard_level_metrics: Sequence[kinesis.ShardLevelMetrics] = (),
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_stream_name(stream_name)
        _check_retention(retention_period)
        _check_metrics(shard_level_metrics)
        check_integer("max_record_kib", max_record_kib, *MAX_RECORD_KIB, unit=" of KiB")
        self.shard_count = _shard_count(shard_count, capacity, stream_mode, warm_throughput_mibps)
        encryption = _encryption(encryption, encryption_key)
        check_key(encryption_key)
        check_removal(self, removal_policy, what_goes="every record", no_snapshot_of="streams")

        self.retention_period = retention_period or Duration.hours(RETENTION_HOURS[0])
        self.shard_level_metrics = tuple(shard_level_metrics)
        self.region = Stack.of(self).region
        self.encryption_key = encryption_key
        if encryption is Encryption.CUSTOMER_KEY and encryption_key is None:
            self.encryption_key = kms.Key(
                self,
                "Key",
                description=f"Encrypts the stream {self.node.path}",
                enable_key_rotation=True,
                removal_policy=removal_policy,
            )
        self.stream = kinesis.Stream(
            self,
            "Resource",
            stream_name=stream_name,
            stream_mode=stream_mode,
            shard_count=self.shard_count,
            retention_period=self.retention_period,
            encryption=_STREAM_ENCRYPTION[encryption],
            encryption_key=self.encryption_key,
            shard_level_metrics=list(shard_level_metrics) or None,
            removal_policy=removal_policy,
        )
        # These two props are CloudFormation's; CDK's own Stream has none for them yet.
        resource = cast("kinesis.CfnStream", self.stream.node.default_child)
        resource.max_record_size_in_kib = max_record_kib
        resource.warm_throughput_mi_bps = warm_throughput_mibps


_STREAM_ENCRYPTION = {
    Encryption.MANAGED: kinesis.StreamEncryption.MANAGED,
    Encryption.CUSTOMER_KEY: kinesis.StreamEncryption.KMS,
    Encryption.NONE: kinesis.StreamEncryption.UNENCRYPTED,
}


def _check_stream_name(name: str | None) -> None:
    if known(name) and not _STREAM_NAME.fullmatch(str(name)):
        raise ValueError(
            f"stream_name: {name!r} is not allowed; it must be 1 to 128 letters, digits and any of _ . -"
        )


def _check_retention(period: Duration | None) -> None:
    if period is None or period.is_unresolved():
        return
    hours, (low, high) = period.to_hours(integral=False), RETENTION_HOURS
    if hours != int(hours) or not low <= hours <= high:
        raise ValueError(
            f"retention_period: {hours:g} hours are not allowed; "
            f"it must be whole hours, from {low} to {high:,}"
        )


def _check_metrics(metrics: Sequence[kinesis.ShardLevelMetrics]) -> None:
    names = [metric.value for metric in metrics]
    if len(set(names)) < len(names):
        raise ValueError(f"shard_level_metrics: {', '.join(names)} repeats a metric; name each once")
    if kinesis.ShardLevelMetrics.ALL in metrics and len(names) > 1:
        raise ValueError(
            f"shard_level_metrics: {', '.join(names)} is not allowed; ALL stands alone, for it is all others"
        )


def _shard_count(
    shard_count: int | None,
    capacity: ShardCapacity | None,
    stream_mode: kinesis.StreamMode,
    warm_throughput_mibps: int | None,
) -> int | None:
    """Return the provisioned shards, or None for an on-demand stream."""
    check_only_one(
        {"shard_count": shard_count, "capacity": capacity}, why="capacity is a computed number of shards"
    )
    if stream_mode is kinesis.StreamMode.ON_DEMAND:
        if shard_count is not None or capacity is not None:
            raise ValueError(
                f"{'shard_count' if capacity is None else 'capacity'}: an on-demand stream sets none; "
                "leave it out, or have the stream provisioned"
            )
        check_integer("warm_throughput_mibps", warm_throughput_mibps, *WARM_THROUGHPUT_MIBPS, unit=" of MiB")
        return None
    if warm_throughput_mibps is not None:
        raise ValueError(
            f"warm_throughput_mibps: {warm_throughput_mibps} is for an on-demand stream only; "
            "make the stream on demand, or give it more shards"
        )
    count = capacity.shard_count if capacity is not None else shard_count
    check_integer("shard_count", count, 1)
    return 1 if count is None else count


def _encryption(encryption: Encryption | None, key: kms.IKey | None) -> Encryption:
    if encryption is None:
        return Encryption.MANAGED if key is None else Encryption.CUSTOMER_KEY
    if encryption not in list(Encryption):
        raise ValueError(f"encryption: {encryption!r} is not allowed; allowed: {', '.join(Encryption)}")
    if key is not None and encryption != Encryption.CUSTOMER_KEY:
        raise ValueError(
            f"encryption_key: a key goes with encryption customer_key, not {encryption}; "
            "leave one of them out"
        )
    return Encryption(encryption)
