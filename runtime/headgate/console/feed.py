"""What comes into a stream, followed once for all pages that look at it, and for as long as one does.

A thread reads; everything else is on the event loop. The reader waits while the loop is behind, so a busy
stream takes no memory. Readers share what a shard gives them (five GetRecords and 2 MB a second): a stream
that no page looks at is not read.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from headgate.aws import aws_faults_in_one_line, kinesis_client
from headgate.errors import HeadgateError
from headgate.reading.reader import PARALLEL_READS, Batch, StreamReader
from headgate.reading.record import Record

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

log = logging.getLogger(__name__)

BEFORE_SECONDS = 10.0
"""How far back a feed begins."""
MOST_KEPT, MOST_KEPT_BYTES = 2_000, 16 * 1024 * 1024
"""Records that are kept for pages that come later, and for those that were away for a while."""
LINGER_SECONDS = 10.0
"""How long a feed goes on with nobody there: somebody who turns a page comes back at once."""
RETRY_SECONDS = 5.0

_BATCHES_AHEAD = 16


class Stream(NamedTuple):
    """A stream that the operator's credentials read."""

    region: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that came."""

    number: int
    """Its place in the feed: each has a greater one than what came before it, from 1 on."""
    shard_id: str
    record: Record


class Feed:
    """One stream. On the event loop alone.

    Args:
        stream: which.
        client: returns what it is read with; called in a thread.
        linger: seconds that it is read on with no listener.
        now: seconds since 1970.
    """

    def __init__(
        self,
        stream: Stream,
        client: "Callable[[Stream], KinesisClient]",
        *,
        linger: float = LINGER_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.stream = stream
        self.fault: str | None = None
        """Why it cannot be read now, on one line; it is tried again every few seconds."""
        self.watchers: list[Callable[[Batch], None]] = []
        """Called with every batch, those without records too."""
        self._client = client
        self._linger = linger
        self._now = now
        self._kept: deque[Seen] = deque()
        self._kept_bytes = 0
        self._number = 0
        self._came = asyncio.Event()
        self._listeners = 0
        self._ending: asyncio.TimerHandle | None = None
        self._stop: threading.Event | None = None

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        """Have the stream read for as long as the block lasts."""
        self._listeners += 1
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._stop is None:
            self._start()
        try:
            yield Listener(self)
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._ending = asyncio.get_running_loop().call_later(self._linger, self.close)

    def close(self) -> None:
        """Read no more."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    @property
    def last_number(self) -> int:
        """The number of the newest record; 0 before the first."""
        return self._number

    def after(self, number: int) -> list[Seen]:
        """Return the records that are kept and came after one."""
        missing = self._number - number
        return list(islice(self._kept, max(len(self._kept) - missing, 0), None)) if missing > 0 else []

    async def wait(self, number: int, seconds: float) -> None:
        """Return once something came after a record, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._number <= number:
                    await self._came.wait()

    def _start(self) -> None:
        stop = self._stop = threading.Event()
        loop, free = asyncio.get_running_loop(), threading.Semaphore(_BATCHES_AHEAD)

        def take(batch: Batch) -> None:
            free.release()
            if not stop.is_set():
                self._take(batch)

        def tell(fault: str | None) -> None:
            if not stop.is_set():
                self.fault = fault

        def work() -> None:
            with suppress(RuntimeError):  # the loop has closed: nobody listens any more
                self._follow(
                    stop,
                    lambda batch: free.acquire() and loop.call_soon_threadsafe(take, batch),
                    lambda fault: loop.call_soon_threadsafe(tell, fault),
                )

        threading.Thread(target=work, name=f"feed {self.stream.name}", daemon=True).start()

    def _follow(
        self,
        stop: threading.Event,
        take: Callable[[Batch], object],
        tell: Callable[[str | None], object],
    ) -> None:
        """Read until told to stop; after a fault, begin again where reading ended. In a thread."""
        last: dict[str, int] = {}
        read_until = self._now() - BEFORE_SECONDS
        while not stop.is_set():
            try:
                with aws_faults_in_one_line(self.stream.name, self.stream.region):
                    since = datetime.fromtimestamp(read_until, UTC)
                    reader = StreamReader(
                        self._client(self.stream), self.stream.name, since=since, follow=True
                    )
                    for batch in reader.batches():
                        if stop.is_set():
                            return
                        if batch is not None:
                            take(_news(batch, last))
                            read_until = self._now() - BEFORE_SECONDS
                            tell(None)
            except HeadgateError as fault:
                tell(str(fault))
            except Exception as fault:
                log.exception("a stream cannot be followed")
                tell(f"{type(fault).__name__}: {fault}")
            stop.wait(RETRY_SECONDS)

    def _take(self, batch: Batch) -> None:
        for record in batch.records:
            self._number += 1
            self._kept.append(Seen(self._number, batch.shard_id, record))
            self._kept_bytes += record.size
        while len(self._kept) > MOST_KEPT or self._kept_bytes > MOST_KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft().record.size
        for watch in self.watchers:
            watch(batch)
        if batch.records:
            came, self._came = self._came, asyncio.Event()
            came.set()


class Listener:
    """Somebody who looks at a feed, from what is kept of it on."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.number = 0
        """The last record that it was given; set it to `feed.last_number` to begin with what comes next."""
        self.missed = 0
        """Records that were dropped before it asked for them."""

    async def next(self, seconds: float) -> list[Seen]:
        """Return what came since the last time; nothing, if nothing comes within so many seconds."""
        await self.feed.wait(self.number, seconds)
        came = self.feed.after(self.number)
        if came:
            self.missed += came[0].number - self.number - 1 if self.number else 0
            self.number = came[-1].number
        return came


class Feeds:
    """The feed of each stream that was asked for."""

    def __init__(self, client: "Callable[[Stream], KinesisClient] | None" = None) -> None:
        self._client = client or (lambda stream: kinesis_client(stream.region, connections=PARALLEL_READS))
        self._feeds: dict[Stream, Feed] = {}

    def of(self, stream: Stream) -> Feed:
        """Return a stream's feed; it is read once somebody listens."""
        return self._feeds.setdefault(stream, Feed(stream, self._client))

    def close(self) -> None:
        """End all of them."""
        for feed in self._feeds.values():
            feed.close()


def _news(batch: Batch, last: dict[str, int]) -> Batch:
    """Return what of a batch was not read before a fault."""
    before = last.get(batch.shard_id, -1)
    new: list[Record] = [each for each in batch.records if int(each.sequence_number) > before]
    if new:
        last[batch.shard_id] = int(new[-1].sequence_number)
    return Batch(batch.shard_id, new, batch.millis_behind)
