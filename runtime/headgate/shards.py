"""The shards of a stream, and what one of them takes."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

SHARD_RECORDS_PER_SECOND = 1_000
SHARD_BYTES_PER_SECOND = 1_000_000
"""What one shard takes, partition keys included (Kinesis quotas)."""
SHARD_BYTES_OUT_PER_SECOND = 2_000_000
"""What one shard gives all those that read it with GetRecords (Kinesis quotas)."""


def list_shards(
    kinesis: "KinesisClient", stream_name: str, *, since: datetime | None = None
) -> "list[ShardTypeDef]":
    """Return every shard of a stream, closed ones too.

    boto3's own paginator sends the stream's name with every page, and Kinesis refuses a name beside a token
    (boto/botocore#2009): it fails for a stream that ever had more than 1,000 shards.

    Args:
        kinesis: the client.
        stream_name: the stream.
        since: leaves out the shards that were closed before; None for none left out.

    Raises:
        ClientError: Kinesis refused.
        BotoCoreError: it cannot be reached, or there are no credentials.
    """
    filtered: Any = {"ShardFilter": {"Type": "FROM_TIMESTAMP", "Timestamp": since}} if since else {}
    shards: list[ShardTypeDef] = []
    page: Any = kinesis.list_shards(StreamName=stream_name, **filtered)
    while True:
        shards += page["Shards"]
        token = page.get("NextToken")
        if not token:
            return shards
        page = kinesis.list_shards(NextToken=token)
