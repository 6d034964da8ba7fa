"""Reads streams for the load of their shards, while a page asks for it. On the event loop alone."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from headgate.console.feed import Feed, Feeds, Stream
from headgate.console.overview.shard_load import StreamLoad
from headgate.reading.reader import Batch

MOST_STREAMS = 8
"""Streams that are read for it at once: each takes a thread, and more for its shards."""


class StreamLoads:
    """The load of each stream that was read.

    Args:
        feeds: what reads streams.
        now: seconds since 1970.
    """

    def __init__(self, feeds: Feeds, now: Callable[[], float] = time.time) -> None:
        self._feeds = feeds
        self._now = now
        self._loads: dict[Stream, StreamLoad] = {}

    @contextmanager
    def reading(self, streams: Sequence[Stream]) -> Iterator[None]:
        """Have streams read for as long as the block lasts."""
        with ExitStack() as listening:
            for stream in streams:
                listening.enter_context(self._feed(stream).listening())
            yield

    def of(self, stream: Stream) -> StreamLoad:
        """Return what is known of a stream."""
        self._feed(stream)
        return self._loads[stream]

    def fault(self, stream: Stream) -> str | None:
        """Return why a stream cannot be read now."""
        return self._feeds.of(stream).fault

    def _feed(self, stream: Stream) -> Feed:
        feed = self._feeds.of(stream)
        if stream not in self._loads:
            self._loads[stream] = StreamLoad()
            feed.watchers.append(partial(self._take, self._loads[stream]))
        return feed

    def _take(self, load: StreamLoad, batch: Batch) -> None:
        load.take(batch, self._now())
