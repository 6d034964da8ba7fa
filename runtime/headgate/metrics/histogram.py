"""A distribution in buckets of a log scale: bounded in memory, its percentiles right to within 5 %.

That holds from `LOWEST` to `HIGHEST`; what lies outside counts as the nearest of the two.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial

Buckets = dict[int, int]
"""How many values fell into each bucket; those of no value are left out."""

LOWEST, HIGHEST = 0.1, 600_000.0
"""In a distribution's unit: for milliseconds, a tenth of one to ten minutes."""
_RATIO = 1.09
"""Of a bucket's upper bound to its lower one; its middle is within 4.5 % of both."""

_COUNT = math.ceil(math.log(HIGHEST / LOWEST, _RATIO)) + 1
_UPPER = [LOWEST * _RATIO**index for index in range(_COUNT)]
# Three digits keep the lines for CloudWatch short and cost half a percent.
VALUES = [LOWEST, *(float(f"{upper / math.sqrt(_RATIO):.3g}") for upper in _UPPER[1:])]
"""The value that stands for each bucket: its geometric middle."""

bucket_of: Callable[[float], int] = partial(bisect_left, _UPPER[:-1])
"""Returns the index of the bucket that a value falls into."""


def percentile(buckets: Mapping[int, int], share: float) -> float:
    """Return the value that `share` of all values, 0 to 1, do not exceed; 0 when there is none."""
    wanted = max(math.ceil(share * sum(buckets.values())), 1)
    seen = 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= wanted:
            return VALUES[index]
    return 0.0
