"""Prints the events of a stream, each once, as JSON lines: `python consumer.py events --region us-west-2`.

Headgate delivers at least once: an event may be in the stream twice, always under the same message ID. Here
the last message IDs are remembered in memory. Who writes events into a store does it better there, with the
message ID as the key: then nothing is forgotten when the consumer starts again.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

SECONDS_BETWEEN_READS = 0.25
"""Kinesis takes five GetRecords a second and shard."""


class Seen:
    """The message IDs that were seen last.

    Args:
        most: how many are remembered; duplicates come seconds after their original, or after an outage.
    """

    def __init__(self, most: int = 1_000_000) -> None:
        self._most = most
        self._message_ids: dict[str, None] = {}

    def is_new(self, message_id: str) -> bool:
        """Return whether a message ID was not seen before, and remember it."""
        if message_id in self._message_ids:
            return False
        self._message_ids[message_id] = None
        if len(self._message_ids) > self._most:
            del self._message_ids[next(iter(self._message_ids))]
        return True


def records(client: "KinesisClient", stream: str, *, follow: bool) -> Iterator["RecordTypeDef"]:
    """Yield a stream's records, in the order of each partition key.

    A key keeps its order where shards are split and merged because a shard is read after its parents.

    Args:
        client: of the stream's region.
        stream: its name.
        follow: go on waiting for more once all has been read.
    """
    pages = client.get_paginator("list_shards").paginate(StreamName=stream)
    parents = {
        shard["ShardId"]: {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")}
        for page in pages
        for shard in page["Shards"]
    }
    iterators: dict[str, str] = {}
    ended: set[str] = set()
    while True:
        for shard_id, needed in parents.items():
            # A parent that is not listed is older than the stream's retention.
            if shard_id not in iterators and shard_id not in ended and ended >= needed & parents.keys():
                iterators[shard_id] = client.get_shard_iterator(
                    StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
        caught_up = True
        for shard_id, iterator in list(iterators.items()):
            answer = client.get_records(ShardIterator=iterator)
            yield from answer["Records"]
            if "NextShardIterator" in answer:
                iterators[shard_id] = answer["NextShardIterator"]
                caught_up = caught_up and answer["MillisBehindLatest"] == 0
            else:
                del iterators[shard_id]
                ended.add(shard_id)
                caught_up = False
                parents |= {each["ShardId"]: set(each["ParentShards"]) for each in answer["ChildShards"]}
        if caught_up and not follow:
            return
        time.sleep(SECONDS_BETWEEN_READS)


def events(client: "KinesisClient", stream: str, *, follow: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a stream's events, each once."""
    seen = Seen()
    for record in records(client, stream, follow=follow):
        event = json.loads(record["Data"])
        if seen.is_new(event["messageId"]):
            yield event


def main() -> None:
    """Print the events of the stream that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stream")
    parser.add_argument("--region")
    parser.add_argument("--follow", action="store_true", help="wait for more once all has been read")
    given = parser.parse_args()
    client = boto3.client("kinesis", region_name=given.region)
    for event in events(client, given.stream, follow=given.follow):
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
