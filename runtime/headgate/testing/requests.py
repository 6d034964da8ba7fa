"""The operations and what they are asked: their members as Kinesis' API has them. Forms decode into these."""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

OperationName = Literal[
    "AssumeRole",
    "CreateStream",
    "DeleteStream",
    "DescribeStream",
    "DescribeStreamSummary",
    "GetCallerIdentity",
    "GetRecords",
    "GetShardIterator",
    "ListShards",
    "MergeShards",
    "PutRecord",
    "PutRecords",
    "SimulatePrincipalPolicy",
    "SplitShard",
    "UpdateMaxRecordSize",
]
"""Every operation that the fake knows, those of STS and IAM too."""


def known(operations: Iterable[OperationName]) -> frozenset[str]:
    """Return operations, once all of them are known: a script with a typing error would never strike.

    Raises:
        ValueError: one is not known, or they are one string.
    """
    if isinstance(operations, str):
        raise ValueError(f"give a tuple of operations, not the one string {operations!r}")
    unknown = [each for each in operations if each not in get_args(OperationName)]
    if unknown:
        raise ValueError(f"no operation {unknown[0]!r} is known; known: {', '.join(get_args(OperationName))}")
    return frozenset(operations)


class OnStream(msgspec.Struct, rename="pascal", kw_only=True, gc=False):
    """A request about one stream, by its name or its ARN."""

    stream_name: str | None = None
    stream_arn: str | None = msgspec.field(default=None, name="StreamARN")


class Entry(msgspec.Struct, rename="pascal", gc=False):
    """One record that is put."""

    data: bytes | None = None
    partition_key: str | None = None
    explicit_hash_key: str | None = None


class PutRecords(OnStream, gc=False):
    """Up to 500 records."""

    records: list[Entry] | None = None
    dry_run: bool = False


class PutRecord(OnStream, gc=False):
    """One record."""

    data: bytes | None = None
    partition_key: str | None = None
    explicit_hash_key: str | None = None
    sequence_number_for_ordering: str | None = None
    dry_run: bool = False


class StreamModeDetails(msgspec.Struct, rename="pascal"):
    """PROVISIONED or ON_DEMAND."""

    stream_mode: str


class CreateStream(msgspec.Struct, rename="pascal", kw_only=True):
    """Make a stream."""

    stream_name: str
    shard_count: int | None = None
    stream_mode_details: StreamModeDetails | None = None
    max_record_size: int | None = msgspec.field(default=None, name="MaxRecordSizeInKiB")


class UpdateMaxRecordSize(OnStream):
    """Allow larger records, or larger ones no more."""

    max_record_size: int = msgspec.field(name="MaxRecordSizeInKiB")


class SplitShard(OnStream):
    """Split one shard."""

    shard_to_split: str
    new_starting_hash_key: str


class MergeShards(OnStream):
    """Merge two neighbours."""

    shard_to_merge: str
    adjacent_shard_to_merge: str


class ShardFilter(msgspec.Struct, rename="pascal"):
    """Which shards to list."""

    type: str
    shard_id: str | None = None
    timestamp: float | None = None


class ListShards(OnStream):
    """One page of a stream's shards."""

    next_token: str | None = None
    exclusive_start_shard_id: str | None = None
    max_results: int = 1_000
    shard_filter: ShardFilter | None = None


class DescribeStream(OnStream):
    """A stream and one page of its shards."""

    limit: int = 100
    exclusive_start_shard_id: str | None = None


class GetShardIterator(OnStream):
    """Where to begin to read a shard."""

    shard_id: str
    shard_iterator_type: str
    starting_sequence_number: str | None = None
    timestamp: float | None = None


class GetRecords(OnStream):
    """The next records of a shard."""

    shard_iterator: str
    limit: int = 10_000
