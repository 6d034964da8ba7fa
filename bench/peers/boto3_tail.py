"""What is usually written to look into a stream, with boto3: `boto3_tail.py STREAM`.

All shards in turn, JSON lines.
"""

import json
import sys

import boto3


def main(stream: str) -> None:
    kinesis = boto3.client("kinesis")
    iterators = {
        shard["ShardId"]: kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]
    }
    while iterators:
        for shard_id, iterator in list(iterators.items()):
            answer = kinesis.get_records(ShardIterator=iterator, Limit=2_500)
            for record in answer["Records"]:
                line = {
                    "shardId": shard_id,
                    "sequenceNumber": record["SequenceNumber"],
                    "partitionKey": record["PartitionKey"],
                    "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].isoformat(),
                    "event": json.loads(record["Data"]),
                }
                print(json.dumps(line))
            iterators[shard_id] = answer["NextShardIterator"]
            if answer["MillisBehindLatest"] == 0:
                del iterators[shard_id]


if __name__ == "__main__":
    main(sys.argv[1])
