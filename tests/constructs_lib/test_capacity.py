import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib import ShardCapacity


@pytest.mark.parametrize(
    ("load", "shards", "bound_by"),
    [
        ({"events_per_second": 1, "average_event_bytes": 1}, 1, "minimum"),
        ({"events_per_second": 1000, "average_event_bytes": 1000}, 1, "minimum"),
        ({"events_per_second": 1001, "average_event_bytes": 100}, 2, "records"),
        ({"events_per_second": 1000, "average_event_bytes": 1001}, 2, "bytes in"),
        ({"events_per_second": 1000, "average_event_bytes": 1000, "consumers": 2}, 1, "minimum"),
        ({"events_per_second": 1000, "average_event_bytes": 1000, "consumers": 3}, 2, "bytes out"),
        ({"events_per_second": 1000, "average_event_bytes": 5000, "consumers": 0}, 5, "bytes in"),
        ({"events_per_second": 2000, "average_event_bytes": 900, "peak_factor": 2}, 4, "records"),
        ({"events_per_second": 10_000, "average_event_bytes": 10, "headroom": 1.1}, 11, "records"),
        ({"events_per_second": 1, "average_event_bytes": 1, "headroom": 1.01}, 2, "minimum"),
        ({"events_per_second": 0.5, "average_event_bytes": 800.5}, 1, "minimum"),
    ],
)
def test_the_shards_of_a_load_and_what_decided(load: dict[str, float], shards: int, bound_by: str) -> None:
    assert ShardCapacity.for_load(**load) == ShardCapacity(shard_count=shards, bound_by=bound_by)  # type: ignore[arg-type]


@given(
    eps=st.integers(1, 10**6),
    size=st.integers(1, 10**6),
    peak=st.integers(1, 50),
    tenths=st.integers(10, 40),
    consumers=st.integers(0, 20),
)
def test_it_is_the_documented_formula(eps: int, size: int, peak: int, tenths: int, consumers: int) -> None:
    needed = max(
        1,
        -(-eps * peak // 1000),
        -(-eps * peak * size // 10**6),
        -(-eps * peak * size * consumers // (2 * 10**6)),
    )
    capacity = ShardCapacity.for_load(
        events_per_second=eps,
        average_event_bytes=size,
        peak_factor=peak,
        headroom=tenths / 10,
        consumers=consumers,
    )
    assert capacity.shard_count == math.ceil(needed * Fraction(tenths, 10))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events_per_second": 0}, "events_per_second: 0 is not allowed; it must be a number above 0"),
        ({"average_event_bytes": -1}, "average_event_bytes: -1 is not allowed; it must be a number above 0"),
        ({"events_per_second": math.inf}, "events_per_second: inf is not allowed"),
        ({"peak_factor": 0.9}, "peak_factor: 0.9 is not allowed; it must be a number, 1 or more"),
        ({"headroom": 0}, "headroom: 0 is not allowed; it must be a number, 1 or more"),
        ({"headroom": math.nan}, "headroom: nan is not allowed"),
        ({"consumers": -1}, "consumers: -1 is not allowed; it must be a whole number, 0 or more"),
        ({"consumers": 1.5}, "consumers: 1.5 is not allowed; it must be a whole number, 0 or more"),
    ],
)
def test_a_load_that_cannot_be_is_refused(change: dict[str, float], message: str) -> None:
    load = {"events_per_second": 1, "average_event_bytes": 1} | change
    with pytest.raises(ValueError, match=message):
        ShardCapacity.for_load(**load)  # type: ignore[arg-type]
