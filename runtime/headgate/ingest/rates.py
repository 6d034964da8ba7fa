"""How many events a source may send: browser write keys are public, and a flood is a bill."""

import math
from collections.abc import Callable

from headgate.settings.schema import Source


class SourceRates:
    """A token bucket per source that holds one second's worth.

    A request passes while the bucket holds one event and may overdraw it, so that a batch larger than one
    second's worth still gets through, and the next one waits the longer.

    Args:
        now: seconds of a clock that only goes forward.
        workers: how many processes share a source's rate. Each counts alone and allows its equal share: the
            source as a whole never exceeds its rate, and a client whose connections all lie with one worker
            gets that worker's share.
    """

    def __init__(self, now: Callable[[], float], *, workers: int = 1) -> None:
        self._now = now
        self._workers = workers
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, source: Source, events: int) -> int | None:
        """Take `events` from the source's bucket; return None, or the seconds to wait when it is empty."""
        if source.max_events_per_second is None:
            return None
        rate = source.max_events_per_second / self._workers
        most = max(rate, 1.0)
        now = self._now()
        left, at = self._buckets.get(source.id, (most, now))
        left = min(left + (now - at) * rate, most)
        if left < 1:
            self._buckets[source.id] = (left, now)
            return max(1, math.ceil((1 - left) / rate))
        self._buckets[source.id] = (left - events, now)
        return None
