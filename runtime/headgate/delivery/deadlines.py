"""Which requests must be answered when: many deadlines, one timer."""

from itertools import takewhile

from headgate.delivery.submission import Submission

GRAIN_SECONDS = 0.1
"""Seconds between two looks for deadlines that have passed."""


class Deadlines:
    """Open requests in the order in which they arrived, which is that of their deadlines too."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._open: dict[Submission, None] = {}

    def __len__(self) -> int:
        """Return how many requests are open."""
        return len(self._open)

    def add(self, submission: Submission) -> None:
        """Watch a request from now on; it is the youngest."""
        self._open[submission] = None

    def drop(self, submission: Submission) -> None:
        """Forget a request that has been answered."""
        self._open.pop(submission, None)

    def passed(self, now: float) -> list[Submission]:
        """Return the requests whose deadline has passed."""
        return list(takewhile(lambda each: each.arrived + self._within <= now, self._open))
