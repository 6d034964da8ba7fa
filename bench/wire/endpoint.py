"""A Kinesis that accepts everything and costs little: `python -m bench.wire.endpoint CERTIFICATE KEY`.

It prints its two ports, plain and TLS, and ends when its standard input does.
"""

import asyncio
import json
import ssl
import sys
from functools import cache
from typing import cast

import cbor2
import uvloop


def accepted(count: int) -> dict[str, object]:
    """Return what Kinesis answers to `count` records of which it takes all."""
    entries = [
        {
            "SequenceNumber": f"49590338271490256608559692538361571095921575989136{index:06}",
            "ShardId": f"shardId-{index % 8:012}",
        }
        for index in range(count)
    ]
    return {"FailedRecordCount": 0, "Records": entries, "EncryptionType": "KMS"}


@cache
def answer(count: int, cbor: bool) -> bytes:
    body = cbor2.dumps(accepted(count)) if cbor else json.dumps(accepted(count)).encode()
    head = (
        "HTTP/1.1 200 OK\r\nx-amzn-RequestId: c7e1c4a4-0d0b-1b4f-9b5c-95d3f4f6a0aa\r\n"
        f"x-amz-id-2: {'x' * 76}\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        f"Content-Type: application/x-amz-{'cbor' if cbor else 'json'}-1.1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = bytearray()

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.received[:end].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.received) >= end + 4 + length:
            self.transport.write(answer(self.received.count(b"PartitionKey"), b"x-amz-cbor" in head))
            self.received.clear()


async def serve(certificate: str, key: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Connection, "127.0.0.1", 0, ssl=each) for each in (None, tls)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:3]))
