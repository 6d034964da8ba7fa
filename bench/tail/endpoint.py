"""A Kinesis to read that costs little: `python -m bench.tail.endpoint SHARDS ANSWERS CERTIFICATE`.

Each of its shards gives so many answers of as many records as are asked for, all of the same prepared ones.
It prints its two ports, plain and TLS.
"""

import asyncio
import base64
import json
import sys
from functools import cache
from typing import Any

import uvloop

from bench.standin.connection import Answer, Connection, Request, listen
from bench.tail.events import EVENTS, event

HOUR = 3_600_000


@cache
def records(count: int) -> str:
    """The JSON of so many records."""
    entries = [
        {
            "SequenceNumber": f"4959033827149025660855969253836157109592157598{number:010}",
            "ApproximateArrivalTimestamp": 1_767_225_600.123,
            "Data": base64.b64encode(event(number % EVENTS)).decode(),
            "PartitionKey": f"user-{number % EVENTS:06}",
            "EncryptionType": "KMS",
        }
        for number in range(count)
    ]
    return json.dumps(entries)


@cache
def some_records(count: int, last: bool) -> bytes:
    """An answer to GetRecords but for its next iterator."""
    return f'{{"Records":{records(count)},"MillisBehindLatest":{0 if last else HOUR},'.encode()


class Stream:
    """What is asked of it, and its answers."""

    def __init__(self, shards: int, answers: int) -> None:
        self._shards = shards
        self._answers = answers

    def answer(self, operation: str, asked: dict[str, Any]) -> bytes:
        if operation == "ListShards":
            return json.dumps(
                {"Shards": [{"ShardId": f"shardId-{n:012}"} for n in range(self._shards)]}
            ).encode()
        if operation == "GetShardIterator":
            return json.dumps({"ShardIterator": f"{0:0200}"}).encode()
        at = int(asked["ShardIterator"]) + 1
        last = at > self._answers
        body = some_records(0 if last else asked.get("Limit", 10_000), last)
        return body + f'"NextShardIterator":"{at:0200}"}}'.encode()


async def serve(shards: int, answers: int, certificate: str) -> None:
    stream = Stream(shards, answers)

    def answer(request: Request) -> Answer:
        body = stream.answer(request.operation, json.loads(request.body))
        return Answer(200, "application/x-amz-json-1.1", body)

    print(*await listen(lambda: Connection(answer), certificate), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
