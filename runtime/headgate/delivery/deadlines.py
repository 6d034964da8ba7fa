"""Which requests must be answered when: many deadlines, one timer."""

from collections.abc import Iterator

from headgate.delivery.submission import Submission

GRAIN_SECONDS = 0.1
"""Deadlines within this time of each other fall together; none falls early."""


class Deadlines:
    """Open requests by the time at which each must be answered."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._due: dict[int, set[Submission]] = {}

    def __len__(self) -> int:
        """Return how many requests are open."""
        return sum(map(len, self._due.values()))

    def open(self) -> list[Submission]:
        """Return the requests that are open."""
        return [submission for due in self._due.values() for submission in due]

    def add(self, submission: Submission) -> None:
        """Watch a request from now on."""
        self._due.setdefault(self._grain(submission), set()).add(submission)

    def drop(self, submission: Submission) -> None:
        """Forget a request that has been answered."""
        grain = self._grain(submission)
        due = self._due.get(grain)
        if due is not None:
            due.discard(submission)
            if not due:
                del self._due[grain]

    def passed(self, now: float) -> Iterator[Submission]:
        """Yield the requests whose deadline has passed."""
        for grain in [grain for grain in self._due if (grain + 1) * GRAIN_SECONDS <= now]:
            yield from list(self._due.get(grain, ()))

    def _grain(self, submission: Submission) -> int:
        return int((submission.arrived + self._within) / GRAIN_SECONDS)
