"""How fast a lane sends: as fast as it can until its shard throttles it, then as fast as the shard takes.

What a lane sends is counted in shard-seconds: the time in which one shard takes it by its documented limits.
So one number stands for records and bytes alike, and 1.0 a second is what a shard gives its only writer.
"""

from headgate.shards import SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND

SLOWEST = 0.01
"""No lane is paced below this: it must still find out when its shard takes more."""
FASTEST = 8.0
"""A lane that got here without being throttled is not paced any more."""
PORTION_SECONDS = 0.05
"""A paced lane saves up this much before it sends, so that its requests stay worth their while."""
BURST_SECONDS = 0.25
"""What a paced lane may save up at most."""
CALM_SECONDS = 1.0
"""What is refused within this time after a lane slowed down is the same trouble, and slows it no further."""
MARGIN = 0.95
"""Share of what the shard was seen to take with which a throttled lane goes on."""
SPEED_UP = 0.01
"""Share of the rate that was last too high by which a lane speeds up in the first second after a throttle.

It speeds up the faster the longer it is not throttled: gently at the limit, soon where that has gone.
"""
LEAST = 0.2
"""A lane speeds up as if no less than this had been too much."""
FIRST = 1.0
"""What a lane goes on with at least after it was throttled first: a shard's limits, for its only writer."""


def cost(records: int, size: int) -> float:
    """Return the shard-seconds that so many records of so many bytes together take."""
    return max(records / SHARD_RECORDS_PER_SECOND, size / SHARD_BYTES_PER_SECOND)


class Pace:
    """The pace of one lane: additive increase, multiplicative decrease.

    Times are of one clock, in seconds.
    """

    __slots__ = ("_at", "_ceiling", "_earlier", "_recent", "_since", "_throttled_at", "_tokens", "rate")

    def __init__(self) -> None:
        self.rate: float | None = None
        """Shard-seconds a second; None while the shard has not throttled the lane."""
        self._tokens = 0.0
        self._at = 0.0
        self._ceiling = 0.0
        self._throttled_at = 0.0
        # What was accepted, in the window of one second that began at `_since` and in the one before it.
        self._recent = self._earlier = 0.0
        self._since = float("-inf")

    def allowance(self, now: float) -> float:
        """Return the shard-seconds that may be sent now; infinite for a lane that is not paced."""
        if self.rate is None:
            return float("inf")
        self._advance(now)
        return self._tokens if self.rate is not None else float("inf")

    def portion(self, waiting: float) -> float:
        """Return the allowance at which a lane in which `waiting` shard-seconds wait should send."""
        return 0.0 if self.rate is None else min(waiting, self.rate * PORTION_SECONDS)

    def seconds_until(self, allowance: float) -> float:
        """Return how long it takes from the last reading until the allowance has grown to `allowance`.

        A little longer, in fact: the portion that is worth sending grows with the rate.
        """
        return 0.0 if self.rate is None else max(0.0, 1.05 * (allowance - self._tokens) / self.rate)

    def spend(self, sent: float) -> None:
        """Note that `sent` shard-seconds are on their way; a large record may leave a debt."""
        if self.rate is not None:
            self._tokens -= sent

    def accepted(self, taken: float, now: float) -> None:
        """Note that the shard took `taken` shard-seconds."""
        if now - self._since >= 1:
            self._earlier = self._recent if now - self._since < 2 else 0.0
            self._recent, self._since = 0.0, now
        self._recent += taken

    def throttled(self, share: float, now: float) -> None:
        """Note that the shard refused a `share` (0 to 1) of what was just sent, and slow down."""
        if self.rate is None:
            self._slow_down(max(self._taken(now), FIRST), now)
        elif now - self._throttled_at >= CALM_SECONDS:
            self._advance(now)
            rate = self.rate or FASTEST
            # A small request's share says little; what went through in the last second says more.
            self._slow_down(max(rate * max(1 - share, 0.5), min(self._taken(now), rate)), now)
        assert self.rate is not None  # noqa: S101  # set just now, or before
        self._tokens, self._at = min(self._tokens, -PORTION_SECONDS * self.rate), now

    def _taken(self, now: float) -> float:
        """Return what the shard took in the last second, about."""
        elapsed = now - self._since
        if elapsed >= 1:
            return self._recent / elapsed if elapsed < 2 else 0.0
        return self._recent + self._earlier * (1 - elapsed)

    def _slow_down(self, ceiling: float, now: float) -> None:
        self._ceiling = ceiling
        self.rate = max(ceiling * MARGIN, SLOWEST)
        self._throttled_at = now

    def _advance(self, now: float) -> None:
        assert self.rate is not None  # noqa: S101  # callers have looked
        elapsed, self._at = max(now - self._at, 0.0), now
        self._tokens = min(self._tokens + elapsed * self.rate, self.rate * BURST_SECONDS)
        since = now - self._throttled_at
        self.rate += elapsed * SPEED_UP * max(self._ceiling, LEAST) * (1 + since)
        if self.rate > FASTEST:
            self.rate = None
