import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.metrics.histogram import HIGHEST, LOWEST, VALUES, bucket_of, percentile

VALID = st.floats(LOWEST, HIGHEST)


@given(st.lists(VALID, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_percentiles_are_right_to_within_5_percent(values: list[float], share: float) -> None:
    exact = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    told = percentile(Counter(map(bucket_of, values)), share)
    assert told == pytest.approx(exact, rel=0.05)


@given(st.floats(allow_nan=False, min_value=0))
def test_any_value_has_a_bucket_and_memory_is_bounded(value: float) -> None:
    assert 0 <= bucket_of(value) < len(VALUES) < 200


def test_what_lies_outside_counts_as_the_nearest_value() -> None:
    assert VALUES[bucket_of(0)] == LOWEST
    assert VALUES[bucket_of(1e12)] == pytest.approx(HIGHEST, rel=0.1)


def test_of_nothing_every_percentile_is_zero() -> None:
    assert percentile({}, 0.99) == 0
