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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from headgate.aws import aws_faults_in_one_line, kinesis_client
from headgate.clients import code_of
from headgate.errors import HeadgateError, one_line
from headgate.reading.reader import PARALLEL_READS, Batch, StreamReader
from headgate.reading.record import Record

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

log = logging.getLogger(__name__)

BEFORE_SECONDS = 10.0
"""How far back a feed begins."""
RESUME_SECONDS = 300.0
"""A feed that read nothing for longer begins anew, in place of reading all that came meanwhile."""
MOST_KEPT, MOST_KEPT_BYTES = 2_000, 16 * 1024 * 1024
"""Records that are kept for pages that come later, and for those that were away for a while."""
LINGER_SECONDS = 10.0
"""How long a feed goes on with nobody there: somebody who turns a page comes back at once."""
RETRY_SECONDS = 5.0

_BATCHES_AHEAD = 4
"""Batches that were read and that the loop has not taken yet; each may have 10 MB."""


class Stream(NamedTuple):
    """A stream that the operator's credentials read."""

    region: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that came."""

    number: int
    """Its place in the feed: each has a number one greater than what came before it, from 1 on."""
    shard_id: str
    record: Record


@dataclass(slots=True)
class _Progress:
    """How far a stream has been read: where to go on after a fault, or after nobody listened for a while."""

    heard: float = float("-inf")
    since: float = 0.0
    after: dict[str, str] = field(default_factory=dict)

    def resume(self, now: float) -> "_Progress":
        """Return where to begin now."""
        if now - self.heard > RESUME_SECONDS:
            return _Progress(now, now - BEFORE_SECONDS)
        return _Progress(self.heard, self.since, self.after.copy())

    def note(self, batch: Batch, now: float) -> None:
        """Take in what was read."""
        self.heard = now
        if batch.records:
            self.after[batch.shard_id] = batch.records[-1].sequence_number


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
        """Why it, or a shard of it, cannot be read now, on one line; it is tried again every few seconds."""
        self.watchers: list[Callable[[Batch], None]] = []
        """Called with every batch, those without records too."""
        self._client = client
        self._linger = linger
        self._now = now
        self._kept: deque[Seen] = deque()
        self._kept_bytes = 0
        self._number = 0
        self._progress = _Progress()
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
        """Read no more, and keep nothing."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None
        self.fault = None
        self._kept.clear()
        self._kept_bytes = 0

    @property
    def last_number(self) -> int:
        """The number of the newest record; 0 before the first."""
        return self._number

    @property
    def first_kept(self) -> int:
        """The number of the oldest record that is kept; of the next one to come, where none is."""
        return self._number + 1 - len(self._kept)

    def after(self, number: int) -> list[Seen]:
        """Return the records that are kept and came after one."""
        missing = self._number - number
        return list(islice(self._kept, max(len(self._kept) - missing, 0), None)) if missing > 0 else []

    def seen(self, number: int) -> Seen | None:
        """Return a record by its number; None if it is no longer kept."""
        return self._kept[number - self.first_kept] if self.first_kept <= number <= self._number else None

    async def wait(self, number: int, seconds: float) -> None:
        """Return once something came after a record, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._number <= number:
                    await self._came.wait()

    def _start(self) -> None:
        stop = self._stop = threading.Event()
        loop, free = asyncio.get_running_loop(), threading.Semaphore(_BATCHES_AHEAD)
        begin = self._progress = self._progress.resume(self._now())

        def take(batch: Batch | None, fault: str | None) -> None:
            free.release()
            if not stop.is_set():
                self._take(batch, fault)

        def tell(batch: Batch | None, fault: str | None) -> None:
            while not free.acquire(timeout=1):
                if stop.is_set():
                    return
            try:
                loop.call_soon_threadsafe(take, batch, fault)
            except RuntimeError:  # the loop has closed: nobody listens any more
                stop.set()

        threading.Thread(
            target=self._follow,
            args=(begin.resume(self._now()), stop, tell),
            name=f"feed {self.stream.name}",
            daemon=True,
        ).start()

    def _follow(
        self,
        progress: _Progress,
        stop: threading.Event,
        tell: Callable[[Batch | None, str | None], None],
    ) -> None:
        """Read until told to stop; after a fault, go on where reading ended. In a thread."""
        while not stop.is_set():
            try:
                with aws_faults_in_one_line(self.stream.name, self.stream.region):
                    self._read(progress, stop, tell)
            except HeadgateError as fault:
                tell(None, str(fault))
            except Exception as fault:
                log.exception("a stream cannot be followed")
                tell(None, one_line(f"{type(fault).__name__}: {fault}"))
            stop.wait(RETRY_SECONDS)
            progress = progress.resume(self._now())

    def _read(
        self,
        progress: _Progress,
        stop: threading.Event,
        tell: Callable[[Batch | None, str | None], None],
    ) -> None:
        """Read until told to stop, or until a fault that waiting does not mend."""
        name, region = self.stream.name, self.stream.region
        reader = StreamReader(
            self._client(self.stream),
            name,
            since=datetime.fromtimestamp(progress.since, UTC),
            follow=True,
            after=progress.after,
        )
        try:
            for batch in reader.batches():
                if stop.is_set():
                    return
                waits = reader.waits_for
                if batch is not None:
                    progress.note(batch, self._now())
                if batch is not None or waits is not None:
                    tell(batch, waits and f"reading {name!r} in {region}: {waits}; it is tried again")
        except ClientError as error:
            if _of_another_stream(error):
                progress.heard = float("-inf")
            raise

    def _take(self, batch: Batch | None, fault: str | None) -> None:
        self.fault = fault
        if batch is None:
            return
        self._progress.note(batch, self._now())
        for record in batch.records:
            self._number += 1
            self._kept.append(Seen(self._number, batch.shard_id, record))
            self._kept_bytes += record.size
        while len(self._kept) > MOST_KEPT or self._kept_bytes > MOST_KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft().record.size
        if batch.records:
            came, self._came = self._came, asyncio.Event()
            came.set()
        for watch in self.watchers:
            watch(batch)


class Listener:
    """Somebody who looks at a feed, from what is kept of it on."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.number = feed.first_kept - 1
        """The last record that it was given; set it to `feed.last_number` to begin with what comes next."""
        self.missed = 0
        """Records that were dropped before it asked for them."""

    async def next(self, seconds: float) -> list[Seen]:
        """Return what came since the last time; nothing, if nothing comes within so many seconds."""
        await self.feed.wait(self.number, seconds)
        came = self.feed.after(self.number)
        first = came[0].number if came else self.feed.last_number + 1
        self.missed += first - self.number - 1
        self.number = self.feed.last_number
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


def _of_another_stream(error: ClientError) -> bool:
    """Return whether a stream is gone, or is a new one of the same name: what was read says nothing of it."""
    code = code_of(error)
    gone = code == "ResourceNotFoundException" and error.operation_name == "ListShards"
    return gone or code == "InvalidArgumentException"
