"""Sets of whole numbers that lie close together, such as the calls of a sync that were acknowledged."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Pairs = Sequence[tuple[int, int]]
"""Ranges in their order, each as its first number and the one after its last."""


class Ranges:
    """Whole numbers, kept as the ranges that they form."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.count = 0
        """How many numbers there are."""
        for start, end in pairs:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Add the numbers from `start` to before `end`; those that are there already stay."""
        if start >= end:
            return
        # All ranges that overlap or touch the new one become one with it.
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        joined = range(first, last)
        self.count -= sum(self._ends[each] - self._starts[each] for each in joined)
        if joined:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]
        self.count += end - start

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number)
        return at > 0 and number < self._ends[at - 1]

    @property
    def pairs(self) -> Pairs:
        """The ranges in their order, each as its first number and the one after its last; none touch."""
        return list(zip(self._starts, self._ends, strict=True))

    @property
    def end(self) -> int:
        """The number after the largest; 0 where there are none."""
        return self._ends[-1] if self._ends else 0

    @property
    def first_missing(self) -> int:
        """The smallest number from 0 on that is not there."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0
