"""Requests to one destination that failed as a whole in a row, and until when none is sent for that."""

from headgate import backoff


class Failures:
    """Counts failures until a request goes through. Times are of one clock, in seconds."""

    def __init__(self) -> None:
        self.in_a_row = 0
        self.blocked_until = 0.0
        """Until then nothing is sent: set from the second failure on, since the first may be a chance."""
        self._last_at = float("-inf")
        # Whether the last answer was that credentials have ended.
        self._refreshed = False

    def ended(self) -> None:
        """Note that a request went through."""
        self.in_a_row, self.blocked_until, self._refreshed = 0, 0.0, False

    def again(self, *, refresh: bool, launched: float, now: float, spread: float) -> int:
        """Note a failure; return which in a row it is, 0 for one that is not counted.

        One trouble that met several requests counts once. Nor does it count that credentials have ended,
        unless that was the last answer too: new ones are on their way, so there is nothing to wait for.

        Args:
            refresh: whether the request failed because credentials have ended.
            launched: when it was sent.
            now: the time.
            spread: a random number from 0 to 1, for the backoff.
        """
        if launched < self._last_at:
            return 0
        self._last_at = now
        refreshed, self._refreshed = self._refreshed, refresh
        if refresh and not refreshed:
            return 0
        self.in_a_row += 1
        if self.in_a_row > 1:
            self.blocked_until = now + backoff.seconds(self.in_a_row - 1, spread)
        return self.in_a_row
