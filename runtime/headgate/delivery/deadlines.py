"""Which requests must be answered when: many deadlines, one timer."""

from itertools import takewhile

from headgate.delivery.submission import Submission

GRAIN_SECONDS = 0.1
"""Seconds between two looks for deadlines that have passed."""


class Deadlines(dict[Submission, None]):
    """Open requests in the order in which they arrived, which is that of their deadlines too."""

    def __init__(self, within: float) -> None:
        super().__init__()
        self._within = within

    def passed(self, now: float) -> list[Submission]:
        """Return the requests whose deadline has passed."""
        return list(takewhile(lambda each: each.arrived + self._within <= now, self))
