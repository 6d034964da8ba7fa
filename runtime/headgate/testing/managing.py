"""Operations that make streams, describe them and change their shards."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.testing.forms import Time
from headgate.testing.ledger import LoggedRequest
from headgate.testing.refusals import Refusal, invalid
from headgate.testing.requests import (
    CreateStream,
    DescribeStream,
    ListShards,
    MergeShards,
    OnStream,
    ShardFilter,
    SplitShard,
    UpdateMaxRecordSize,
)
from headgate.testing.service import Service
from headgate.testing.streams import DEFAULT_MAX_RECORD_KIB, MAX_RECORD_KIB, Shard, Stream
from headgate.testing.writing import encryption

_ON_DEMAND_SHARDS = 4
"""What a new on-demand stream begins with: 4 MB/s (Kinesis developer guide)."""


class _Page(msgspec.Struct):
    """What a NextToken says: which stream's shards, after which, and which of them."""

    stream: str
    after: str
    only: ShardFilter | None


def create_stream(service: Service, request: CreateStream, _log: LoggedRequest) -> None:
    """Make a stream; it is CREATING for as long as the fake was told."""
    name, mode = request.stream_name, request.stream_mode_details
    on_demand = mode is not None and mode.stream_mode == "ON_DEMAND"
    if name in service.streams:
        raise Refusal(
            "ResourceInUseException",
            f"Stream {name} under account {service.account} already exists.",
        )
    now = service.clock()
    try:
        service.streams[name] = Stream(
            name,
            request.shard_count or (_ON_DEMAND_SHARDS if on_demand else 0),
            now=now,
            limits=service.limits,
            ready_at=now + service.creation_seconds,
            on_demand=on_demand,
            max_record_kib=_allowed(request.max_record_size or DEFAULT_MAX_RECORD_KIB),
        )
    except ValueError as fault:
        raise Refusal("ValidationException", str(fault)) from None


def delete_stream(service: Service, request: OnStream, _log: LoggedRequest) -> None:
    """Remove a stream and its records; the ledger keeps what it wrote."""
    del service.streams[service.stream_in(request).name]


def update_max_record_size(service: Service, request: UpdateMaxRecordSize, _log: LoggedRequest) -> None:
    """Change the largest record that a stream takes."""
    service.active_stream_in(request).max_record_kib = _allowed(request.max_record_size)


def split_shard(service: Service, request: SplitShard, _log: LoggedRequest) -> None:
    """Split a shard at a hash key; new records go to the children at once."""
    stream = service.active_stream_in(request)
    if not request.new_starting_hash_key.isdecimal():
        raise invalid(
            f"Value '{request.new_starting_hash_key}' at 'newStartingHashKey' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})"
        )
    shard = service.shard(stream, request.shard_to_split)
    stream.split(shard, int(request.new_starting_hash_key), service.clock())


def merge_shards(service: Service, request: MergeShards, _log: LoggedRequest) -> None:
    """Merge two neighbours; new records go to their child at once."""
    stream = service.active_stream_in(request)
    shard = service.shard(stream, request.shard_to_merge)
    stream.merge(shard, service.shard(stream, request.adjacent_shard_to_merge), service.clock())


def describe_stream_summary(service: Service, request: OnStream, _log: LoggedRequest) -> dict[str, Any]:
    """Describe a stream without its shards."""
    stream = service.stream_in(request)
    return {
        "StreamDescriptionSummary": _described(service, stream)
        | {
            "OpenShardCount": len(stream.open_shards),
            "ConsumerCount": 0,
            "MaxRecordSizeInKiB": stream.max_record_kib,
        }
    }


def describe_stream(service: Service, request: DescribeStream, _log: LoggedRequest) -> dict[str, Any]:
    """Describe a stream with one page of its shards."""
    stream = service.stream_in(request)
    shards = _after(stream.shards, request.exclusive_start_shard_id or "")
    return {
        "StreamDescription": _described(service, stream)
        | {
            "Shards": [_shard(shard) for shard in shards[: request.limit]],
            "HasMoreShards": len(shards) > request.limit,
        }
    }


def list_shards(service: Service, request: ListShards, _log: LoggedRequest) -> dict[str, Any]:
    """List one page of a stream's shards, closed ones too unless a filter leaves them out."""
    if not 1 <= request.max_results <= 10_000:
        raise invalid(
            f"Value '{request.max_results}' at 'maxResults' failed to satisfy constraint: 1 to 10000"
        )
    if request.next_token is None:
        stream = service.stream_in(request)
        page = _Page(stream.name, request.exclusive_start_shard_id or "", request.shard_filter)
    elif request.stream_name or request.stream_arn:
        named = "StreamName" if request.stream_name else "StreamARN"
        raise Refusal("InvalidArgumentException", f"NextToken and {named} cannot be provided together.")
    else:
        page = _page(request.next_token)
        stream = service.stream_in(OnStream(stream_name=page.stream))
    shards = _after([each for each in stream.shards if _passes(each, page.only)], page.after)
    answer: dict[str, Any] = {"Shards": [_shard(shard) for shard in shards[: request.max_results]]}
    if len(shards) > request.max_results:
        following = _Page(stream.name, shards[request.max_results - 1].shard_id, page.only)
        answer["NextToken"] = urlsafe_b64encode(msgspec.json.encode(following)).decode()
    return answer


def _page(token: str) -> _Page:
    try:
        return msgspec.json.decode(urlsafe_b64decode(token), type=_Page)
    except ValueError:
        raise Refusal("InvalidArgumentException", "NextToken is invalid.") from None


def _after(shards: Sequence[Shard], shard_id: str) -> list[Shard]:
    return [shard for shard in shards if shard.shard_id > shard_id]


def _passes(shard: Shard, only: ShardFilter | None) -> bool:
    if only is None:
        return True
    time = only.timestamp or 0.0
    passes = {
        "AFTER_SHARD_ID": shard.shard_id > (only.shard_id or ""),
        "AT_TRIM_HORIZON": shard.parent is None,
        "FROM_TRIM_HORIZON": True,
        "AT_LATEST": shard.open,
        "AT_TIMESTAMP": shard.opened_at <= time and (shard.closed_at is None or time < shard.closed_at),
        "FROM_TIMESTAMP": shard.closed_at is None or time <= shard.closed_at,
    }
    if only.type not in passes:
        raise invalid(f"Value '{only.type}' at 'shardFilter.type' failed to satisfy constraint: {[*passes]}")
    return passes[only.type]


def _allowed(kib: int) -> int:
    if not DEFAULT_MAX_RECORD_KIB <= kib <= MAX_RECORD_KIB:
        raise invalid(
            f"Value '{kib}' at 'maxRecordSizeInKiB' failed to satisfy constraint: "
            f"Member must be between {DEFAULT_MAX_RECORD_KIB} and {MAX_RECORD_KIB}"
        )
    return kib


def _described(service: Service, stream: Stream) -> dict[str, Any]:
    described: dict[str, Any] = {
        "StreamName": stream.name,
        "StreamARN": service.arn(stream.name),
        "StreamStatus": stream.status(service.clock()),
        "StreamModeDetails": {"StreamMode": "ON_DEMAND" if stream.on_demand else "PROVISIONED"},
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": Time(stream.created_at),
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": encryption(stream),
    }
    return described if stream.key_id is None else described | {"KeyId": stream.key_id}


def _shard(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": shard.first_sequence_number}
    if not shard.open:
        numbers["EndingSequenceNumber"] = shard.last_sequence_number
    described: dict[str, Any] = {
        "ShardId": shard.shard_id,
        "HashKeyRange": {"StartingHashKey": str(shard.start), "EndingHashKey": str(shard.end)},
        "SequenceNumberRange": numbers,
    }
    if shard.parent is not None:
        described["ParentShardId"] = shard.parent.shard_id
    if shard.adjacent_parent is not None:
        described["AdjacentParentShardId"] = shard.adjacent_parent.shard_id
    return described
