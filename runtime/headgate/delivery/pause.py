"""The pause of a destination to which nothing can be delivered until somebody mends something.

While it lasts its clients are asked to come again. When its time is over, one request is let through as a
probe; the answer ends the pause or makes it longer.
"""

from headgate.delivery.submission import Refusal
from headgate.delivery.wire.faults import Fault

FIRST_SECONDS, LONGEST_SECONDS = 2.0, 30.0


class Pause:
    """Whether a destination is paused, why, and until when. Times are of one clock, in seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.fault: Fault | None = None
        """Why it is paused; None while it is not."""
        self._until = 0.0
        self._seconds = 0.0

    def is_news(self, fault: Fault) -> bool:
        """Return whether a pause for this reason is none that lasts already."""
        return self.fault is None or self.fault.code != fault.code

    def begin(self, fault: Fault, now: float) -> Refusal:
        """Pause, or stay paused for longer; return what clients are told meanwhile."""
        self._seconds = min(max(self._seconds * 2, FIRST_SECONDS), LONGEST_SECONDS)
        self._until = now + self._seconds
        self.fault = fault
        return self._told(fault, now)

    def end(self) -> bool:
        """Go on; return whether that is news."""
        news, self.fault = self.fault is not None, None
        self._seconds = 0.0
        return news

    def refusal(self, now: float, *, probing: bool) -> Refusal | None:
        """Return why a request is not taken now; None where there is no pause, or it may be the probe.

        Args:
            now: the time.
            probing: whether another request is under way already.
        """
        if self.fault is None or (now >= self._until and not probing):
            return None
        return self._told(self.fault, now)

    def _told(self, fault: Fault, now: float) -> Refusal:
        message = f"the destination {self._name} is paused: {fault.code}"
        return Refusal(fault.code, message, max(1, round(self._until - now)))
