"""The operations of Kinesis that the fake knows, by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headgate.testing import managing, reading, requests, writing
from headgate.testing.ledger import LoggedRequest
from headgate.testing.service import Service


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation is asked with, and what it does."""

    request: type[Any]
    run: Callable[[Service, Any, LoggedRequest], dict[str, Any] | None]


OPERATIONS = {
    "CreateStream": Operation(requests.CreateStream, managing.create_stream),
    "DeleteStream": Operation(requests.OnStream, managing.delete_stream),
    "DescribeStream": Operation(requests.DescribeStream, managing.describe_stream),
    "DescribeStreamSummary": Operation(requests.OnStream, managing.describe_stream_summary),
    "GetRecords": Operation(requests.GetRecords, reading.get_records),
    "GetShardIterator": Operation(requests.GetShardIterator, reading.get_shard_iterator),
    "ListShards": Operation(requests.ListShards, managing.list_shards),
    "MergeShards": Operation(requests.MergeShards, managing.merge_shards),
    "PutRecord": Operation(requests.PutRecord, writing.put_record),
    "PutRecords": Operation(requests.PutRecords, writing.put_records),
    "SplitShard": Operation(requests.SplitShard, managing.split_shard),
    "UpdateMaxRecordSize": Operation(requests.UpdateMaxRecordSize, managing.update_max_record_size),
}
