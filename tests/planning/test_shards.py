import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_lib import ShardCapacity
from headgate.planning.load import Load
from headgate.planning.shards import shards_for

loads = st.fixed_dictionaries(
    {
        "events_per_second": st.one_of(st.integers(1, 10**7), st.floats(1e-3, 1e7)),
        "average_bytes": st.one_of(st.integers(1, 10**7), st.floats(1, 1e7)),
        "peak_factor": st.one_of(st.integers(1, 50), st.floats(1, 50)),
        "headroom": st.integers(100, 400).map(lambda percent: percent / 100),
        "consumers": st.integers(0, 20),
    }
)


@given(loads)
@example(
    {"events_per_second": 10_000, "average_bytes": 10, "peak_factor": 1, "headroom": 1.1, "consumers": 1}
)
def test_it_is_the_formula_of_shard_capacity(load: dict[str, float]) -> None:
    same = {("average_event_bytes" if name == "average_bytes" else name): each for name, each in load.items()}
    theirs = ShardCapacity.for_load(**same)  # type: ignore[arg-type]
    ours = shards_for(Load(**load))  # type: ignore[arg-type]
    assert (ours.count, ours.bound_by) == (theirs.shard_count, theirs.bound_by)


@pytest.mark.parametrize(
    "change",
    [
        {"events_per_second": 0},
        {"events_per_second": math.inf},
        {"events_per_second": math.nan},
        {"average_bytes": -1},
        {"peak_factor": 0.9},
        {"headroom": 0},
        {"headroom": math.nan},
        {"consumers": -1},
    ],
)
def test_it_refuses_what_shard_capacity_refuses_in_its_words(change: dict[str, float]) -> None:
    load = {"events_per_second": 1, "average_bytes": 1} | change
    same = {("average_event_bytes" if name == "average_bytes" else name): each for name, each in load.items()}
    with pytest.raises(ValueError, match="is not allowed; it must be a ") as theirs:
        ShardCapacity.for_load(**same)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not allowed; it must be a ") as ours:
        Load(**load)  # type: ignore[arg-type]
    assert str(ours.value) == str(theirs.value).replace("average_event_bytes", "average_bytes")


def test_what_bounds_the_shards_is_shown_beside_its_limit() -> None:
    shards = shards_for(
        Load(events_per_second=1_500, average_bytes=2_000, peak_factor=2, headroom=1.5, consumers=4)
    )
    # 3,000 records; 6 MB in; 24 MB out, of which a shard gives 2: 12 shards, and half as many again.
    uses = {name: (use.amount, use.limit, use.shards) for name, use in shards.uses.items()}
    assert uses == {
        "records": (3_000, 1_000, 3),
        "bytes in": (6_000_000, 1_000_000, 6),
        "bytes out": (24_000_000, 2_000_000, 12),
    }
    assert (shards.count, shards.bound_by) == (18, "bytes out")


def test_a_load_may_be_any_fraction() -> None:
    load = Load(events_per_second=Fraction(1, 3), average_bytes=800.5, peak_factor=Fraction(6_000))
    assert shards_for(load).count == 2
