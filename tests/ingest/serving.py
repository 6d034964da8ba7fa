"""The HTTP side over a real socket, with a delivery that says what the test wants."""

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.ingest.acceptor import Acceptor
from headgate.ingest.connections import Connections
from headgate.ingest.limits import HttpLimits
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Destination, Source

SOURCE = Source(
    id="src",
    write_keys=("wk",),
    destinations=(Destination(stream_name="one"), Destination(stream_name="two", use_message_id=True)),
)
OFF = Source(id="off", write_keys=("wk_off",), enabled=False, destinations=(Destination(stream_name="x"),))
SLOW = Source(id="slow", write_keys=("wk_slow",), max_events_per_second=1, destinations=SOURCE.destinations)
TRACK = {"userId": "u", "event": "e", "messageId": "m"}
AUTHORIZATION = "Authorization: Basic " + b64encode(b"wk:").decode()


class Delivery:
    """Keeps what it is given, and settles it with `outcome` at once, or later where `hold` is set."""

    def __init__(self) -> None:
        self.given: list[Mapping[Target, Sequence[Data]]] = []
        self.outcome = Outcome()
        self.refusal: Refusal | None = None
        self.hold: list[Callable[[Outcome], None]] | None = None

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.given.append(portions)
        if self.hold is None:
            on_settled(self.outcome)
        else:
            self.hold.append(on_settled)


class Client:
    def __init__(self, port: int, delivery: Delivery, api: TrackingApi, connections: Connections) -> None:
        self.port, self.delivery, self.api, self.connections = port, delivery, api, connections

    async def raw(self, data: bytes, *, split: int = 0) -> bytes:
        """Send bytes, in pieces of `split` where it is given, and read until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for at in range(0, len(data), split or len(data)):
                writer.write(data[at : at + (split or len(data))])
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def ask(
        self,
        path: str,
        body: bytes = b"",
        *headers: str,
        method: str = "POST",
        auth: bool = True,
        split: int = 0,
    ) -> "Answer":
        return parse(await self.raw(request(path, body, *headers, method=method, auth=auth), split=split))

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds: a socket decides when."""
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.001)


def request(
    path: str,
    body: bytes = b"",
    *headers: str,
    method: str = "POST",
    auth: bool = True,
    keep: bool = False,
) -> bytes:
    """A request as bytes; the server closes after it unless it is told to `keep` the connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: h", f"Content-Length: {len(body)}"]
    lines += [*([] if keep else ["Connection: close"]), *([AUTHORIZATION] if auth else []), *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: dict[str, Any]
    text: bytes


def parse(answer: bytes) -> Answer:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    json_body = json.loads(body) if body and headers["Content-Type"] == "application/json" else {}
    return Answer(int(first.split()[1]), headers, json_body, body)


@asynccontextmanager
async def serving(
    *sources: Source, limits: HttpLimits | None = None, **options: Any
) -> AsyncIterator[Client]:
    """Serve `sources`, or those above; what is in `options` goes to the TrackingApi."""
    delivery = Delivery()
    by_key = {key: source for source in sources or (SOURCE, OFF, SLOW) for key in source.write_keys}
    api = TrackingApi(sources=by_key, delivery=cast("Any", delivery), **options)
    connections = Connections(limits)
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listening.getsockname()[1]
    acceptor = Acceptor(listening, connections, lambda: HttpProtocol(api.handle, connections))
    try:
        yield Client(port, delivery, api, connections)
    finally:
        acceptor.close()
        for connection in connections:
            connection.close()
