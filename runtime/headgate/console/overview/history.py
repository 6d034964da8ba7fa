"""The points of the last while, for pages that come later or were away for a while. Pure."""

from collections.abc import Sequence
from itertools import takewhile

from headgate.console.overview.figures import Point

HISTORY_SECONDS = 15 * 60
_MISSED = 2.5
"""Intervals between two points from which on a plot shows a gap there."""


class History:
    """Bounded by `HISTORY_SECONDS` and by as many points as fit in there.

    Args:
        interval: seconds from one point to the next.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._most = int(HISTORY_SECONDS / interval) + 1
        self._kept: list[tuple[int, Point]] = []
        self._number = 0

    def put(self, points: Sequence[Point]) -> None:
        """Keep points, in the order of time, in place of all that are kept from the first one's time on.

        So what is told again replaces what was told, and a clock that was set back leaves no future behind.
        """
        if not points:
            return
        while self._kept and self._kept[-1][1].at >= points[0].at:
            self._kept.pop()
        for point in points:
            if self._kept and point.at - self._kept[-1][1].at > _MISSED * self._interval:
                self._add(Point(at=self._kept[-1][1].at + self._interval))
            self._add(point)
        oldest = points[-1].at - HISTORY_SECONDS
        self._kept = [each for each in self._kept[-self._most :] if each[1].at >= oldest]

    def after(self, number: int) -> tuple[int, list[Point]]:
        """Return the points that were put after those of a number, and the number to ask with next.

        They too take the place of all that was there from the first one's time on. 0 asks for all.
        """
        new = [point for _, point in takewhile(lambda each: each[0] > number, reversed(self._kept))]
        return self._number, new[::-1]

    def _add(self, point: Point) -> None:
        self._number += 1
        self._kept.append((self._number, point))
