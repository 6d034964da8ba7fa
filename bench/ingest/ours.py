"""Headgate's HTTP side alone: everything before delivery, which here says yes at once."""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import uvloop

from bench.ingest.requests import DISABLED_KEY, WRITE_KEY
from headgate import garbage
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.ingest.acceptor import Acceptor
from headgate.ingest.connections import Connections
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import Destination, Source


class SettlesAtOnce:
    """Delivery, without Kinesis."""

    def submit(
        self,
        portions: Mapping[Target, Sequence[Data]],  # noqa: ARG002  # made, and not looked at
        on_settled: Callable[[Outcome], None],
    ) -> None:
        on_settled(Outcome())


async def serve(port: int) -> None:
    to = (Destination(stream_name="events"),)
    sources = {
        WRITE_KEY: Source(id="bench", write_keys=(WRITE_KEY,), destinations=to),
        DISABLED_KEY: Source(id="off", write_keys=(DISABLED_KEY,), destinations=to, enabled=False),
    }
    api = TrackingApi(sources=sources, delivery=cast("Any", SettlesAtOnce()))
    loop = asyncio.get_running_loop()
    connections = Connections(now=loop.time())
    Acceptor(
        socket.create_server(("127.0.0.1", port), backlog=2048),
        connections,
        lambda: HttpProtocol(api.handle, connections),
    )
    garbage.search_seldom()  # as `headgate serve` does
    while True:
        await asyncio.sleep(1)
        connections.check(loop.time())


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
