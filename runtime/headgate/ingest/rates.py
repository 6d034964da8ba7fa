"""How many events a source may send: browser write keys are public, and a flood is a bill."""

import math
from collections.abc import Callable

from headgate.settings.schema import Source


class SourceRates:
    """A token bucket per source that holds one second's worth, counted per process.

    A request passes while the bucket holds one event and may overdraw it, so that a batch larger than one
    second's worth still gets through, and the next one waits the longer.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, source: Source, events: int) -> int | None:
        """Take `events` from the source's bucket; return None, or the seconds to wait when it is empty."""
        rate = source.max_events_per_second
        if rate is None:
            return None
        now = self._now()
        left, at = self._buckets.get(source.id, (float(rate), now))
        left = min(left + (now - at) * rate, float(rate))
        if left < 1:
            self._buckets[source.id] = (left, now)
            return max(1, math.ceil((1 - left) / rate))
        self._buckets[source.id] = (left - events, now)
        return None
