"""Clients that send on schedule: `python -m bench.acknowledge.client PORT KIND RATE SECONDS CONNECTIONS`.

A request is due at its time whether or not earlier ones were answered, and its answer's delay is counted from
then: a server that stalls is not spared the requests that it held up. KIND is 1 or the events of a batch. It
prints JSON.
"""

import asyncio
import json
import sys
from collections import deque
from typing import cast

import uvloop

from bench.serve.requests import raw_requests

TICK = 0.001
"""Seconds: what is due within one is due together."""
PATIENCE = 20.0
"""Seconds for the last answers."""


class Clients:
    """A pool of connections, and what is due."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._free: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self._sent = 0
        self._some = asyncio.Event()
        self.delays: list[float] = []
        self.refused = 0
        self.now = asyncio.get_running_loop().time

    async def connect(self, port: int, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self._free.append(connection)

    async def send(self, rate: float, seconds: float) -> None:
        """Send so many requests a second, and wait for all answers."""
        began, due, total = self.now(), 0, int(rate * seconds)
        while due < total:
            passed = self.now() - began
            while due < total and due / rate <= passed:
                self._due.append(began + due / rate)
                due += 1
            self._send_due()
            await asyncio.sleep(TICK)
        try:
            await asyncio.wait_for(self._answers(total), PATIENCE)
        except TimeoutError:
            sys.exit(f"{total - len(self.delays)} of {total} requests were not answered")

    def answered(self, connection: "Connection", due: float, ok: bool) -> None:
        self.delays.append(self.now() - due)
        self.refused += not ok
        self._free.append(connection)
        self._some.set()
        self._send_due()

    async def _answers(self, total: int) -> None:
        while len(self.delays) < total:
            await self._some.wait()
            self._some.clear()

    def _send_due(self) -> None:
        while self._due and self._free:
            connection = self._free.popleft()
            connection.send(self._requests[self._sent % len(self._requests)], self._due.popleft())
            self._sent += 1


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._received = b""
            self._clients.answered(self, self._due, head.startswith(b"HTTP/1.1 200"))


async def main(port: int, events: int, rate: float, seconds: float, connections: int) -> None:
    clients = Clients(raw_requests(events))
    await clients.connect(port, connections)
    await clients.send(rate, 1.0)  # warms up
    clients.delays.clear()
    await clients.send(rate, seconds)
    if clients.refused:
        sys.exit(f"{clients.refused} requests were not answered with 200")
    delays = sorted(clients.delays)
    said = {f"p{p}": delays[min(len(delays) * p // 100, len(delays) - 1)] * 1000 for p in (50, 99)}
    print(json.dumps({**said, "requests": len(delays)}))


if __name__ == "__main__":
    port, kind, rate, seconds, connections = sys.argv[1:]
    uvloop.run(main(int(port), int(kind), float(rate), float(seconds), int(connections)))
