"""What the tests of streams and of the pages that show them share: a quick fake Kinesis, and an ear."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from functools import lru_cache
from typing import Any

import pytest

from headgate.aws import kinesis_client
from headgate.console import feed
from headgate.console.feed import Feeds
from headgate.reading import reader
from headgate.testing import UNLIMITED, FakeKinesis
from tests.console.visitor import Visitor
from tests.testing.asking import Connection

_client = lru_cache(kinesis_client)
"""Making one takes longer than most of the tests do."""


@contextmanager
def kinesis_of(**streams: int) -> Iterator[FakeKinesis]:
    """Serve streams to this process, which reads them many times a second and waits for no fault to pass."""
    with FakeKinesis(streams=streams, limits=UNLIMITED) as kinesis, pytest.MonkeyPatch.context() as patch:
        for name, value in (kinesis.environment() | {"AWS_MAX_ATTEMPTS": "1"}).items():
            patch.setenv(name, value)
        _client.cache_clear()
        patch.setattr(feed, "kinesis_client", _client)
        patch.setattr(feed, "RETRY_SECONDS", 0.05)
        patch.setattr(reader, "_PAUSE_AT_TIP", 0.05)
        patch.setattr(reader, "_PAUSE_BEFORE_LISTING", 0.05)
        patch.setattr(reader, "_BACKOFF", (0.05, 0.1))
        yield kinesis


def begin_anew(visitor: Visitor, kinesis: FakeKinesis) -> None:
    """Forget what the console has read, and what there was to read."""
    feeds: Feeds = visitor.app.state.desk.feeds
    feeds.close()
    feeds._feeds.clear()
    kinesis.reset()


def put(kinesis: FakeKinesis, *records: tuple[str, bytes | dict[str, Any]], stream: str = "events") -> None:
    """Put records: each a partition key, and data or what becomes its JSON."""
    entries = [
        {
            "PartitionKey": key,
            "Data": b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).decode(),
        }
        for key, data in records
    ]
    with closing(Connection(kinesis)) as connection:
        status, answer = connection.json("PutRecords", StreamName=stream, Records=entries)
    assert (status, answer["FailedRecordCount"]) == (200, 0)


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


class Ear:
    """What a page was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.raw = b""
        self.ended = False

    def told(self, name: str) -> list[str]:
        """Return the data of all events of a name."""
        return [data for each, data in self.events if each == name]

    def all(self, name: str) -> str:
        """Return the data of all events of a name as one text."""
        return "\n".join(self.told(name))


@asynccontextmanager
async def listening(visitor: Visitor, path: str) -> AsyncIterator[Ear]:
    """Listen to a path, as a page does, until the end of the block."""
    ear = Ear()

    async def listen() -> None:
        async with visitor.http.get(visitor.url + path) as response:
            assert response.status == 200, await response.text()
            assert response.headers["Content-Type"].startswith("text/event-stream")
            waiting = b""
            async for part in response.content.iter_any():
                ear.raw += part
                *whole, waiting = (waiting + part).split(b"\n\n")
                ear.events += [read for each in whole if (read := _read(each)) is not None]
            ear.ended = True

    task = asyncio.create_task(listen())
    try:
        yield ear
    finally:
        if task.done():
            task.result()
        task.cancel()
        await asyncio.wait([task])


def _read(event: bytes) -> tuple[str, str] | None:
    fields = [line.partition(": ")[::2] for line in event.decode().split("\n")]
    data = [value for name, value in fields if name == "data"]
    return (dict(fields)["event"], "\n".join(data)) if data else None
