"""A Kinesis to read that costs little: `python -m bench.tail.endpoint SHARDS ANSWERS CERTIFICATE KEY`.

Each of its shards gives so many answers of as many records as are asked for, all of the same prepared ones.
It prints its two ports, plain and TLS, and ends when its standard input does.
"""

import asyncio
import base64
import json
import ssl
import sys
from functools import cache
from typing import Any, cast

import uvloop

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


class Connection(asyncio.Protocol):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        body_end = end + 4 + int(field(head, b"content-length"))
        if len(self._received) < body_end:
            return
        operation = field(self._received[:end], b"X-Amz-Target").rpartition(".")[2]
        body = self._stream.answer(operation, json.loads(self._received[end + 4 : body_end]))
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        self._transport.write(body)
        self._received.clear()


def field(head: bytes, name: bytes) -> str:
    return head.partition(name + b": ")[2].partition(b"\r\n")[0].decode()


async def serve(shards: int, answers: int, certificate: str, key: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    stream, loop = Stream(shards, answers), asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Connection(stream), "127.0.0.1", 0, ssl=each) for each in (None, tls)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5]))
