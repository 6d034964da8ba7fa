"""A steady pace: never more than so many records a second, one portion after the other. Pure."""

from headgate.delivery.packer import MAX_RECORDS

_PORTIONS_A_SECOND = 10


class Pace:
    """Gives each portion its instant. Time in which nothing was sent is not made up for.

    Args:
        per_second: records a second.
    """

    def __init__(self, per_second: int) -> None:
        self.portion = min(max(per_second // _PORTIONS_A_SECOND, 1), MAX_RECORDS)
        """Records of one portion: what is sent at once."""
        self._per_second = per_second
        self._free_from = float("-inf")

    def wait(self, records: int, now: float) -> float:
        """Return the seconds until a portion of so many records may be sent, as the next in the row."""
        begin = max(self._free_from, now)
        self._free_from = begin + records / self._per_second
        return begin - now
