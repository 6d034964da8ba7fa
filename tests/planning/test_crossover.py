from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headgate.planning.costs import Deployment, Mode, endpoints, nat_gateways, on_demand, provisioned
from headgate.planning.crossover import Crossover, crossovers, even_endpoints
from headgate.planning.load import Load
from headgate.planning.prices import price_table
from headgate.planning.shards import shards_for
from headgate.planning.tasks import SMALL, Tasks

PRICES = price_table().prices
CENT = Fraction(1, 100)

loads = st.builds(
    Load,
    events_per_second=st.just(1),
    average_bytes=st.one_of(st.integers(1, 3_000), st.integers(1, 100_000)),
    peak_factor=st.one_of(st.integers(1, 200), st.integers(20, 35)),
    headroom=st.integers(100, 300).map(lambda percent: percent / 100),
    consumers=st.integers(0, 5),
    retention_hours=st.sampled_from([24, 48, 168, 720, 8_760]),
)


def costs(load: Load, events_per_second: Fraction) -> dict[Mode, Fraction]:
    """What a stream costs in either mode: by the shards of that load, and by no line or step."""
    there = replace(load, events_per_second=events_per_second)
    return {
        "provisioned": provisioned(there, shards_for(there).count, PRICES).dollars,
        "on demand": on_demand(there, PRICES).dollars,
    }


def cheaper(load: Load, events_per_second: Fraction) -> Mode:
    both = costs(load, events_per_second)
    return min(both, key=both.__getitem__)


@given(loads)
def test_at_a_crossover_both_cost_the_same_or_another_shard_is_due_and_the_other_is_cheaper_above(
    load: Load,
) -> None:
    found = list(crossovers(load, PRICES))
    for each in found[:10] + found[-10:]:
        at = each.events_per_second
        below, above = at * (1 - Fraction(1, 10**12)), at * (1 + Fraction(1, 10**12))
        assert cheaper(load, above) == each.cheaper_above
        assert cheaper(load, below) != each.cheaper_above
        there, just_above = costs(load, at), costs(load, above)
        if each.cause == "even":
            assert abs(there["provisioned"] - there["on demand"]) < CENT
        else:
            assert each.cheaper_above == "on demand", "a further shard makes nothing cheaper"
            assert just_above["provisioned"] - there["provisioned"] > 10
            assert there["provisioned"] <= there["on demand"]


@given(loads, st.fractions(Fraction(1, 1_000), 10**5))
def test_between_crossovers_the_same_mode_is_cheaper_and_none_is_missing(load: Load, at: Fraction) -> None:
    found = list(crossovers(load, PRICES))
    assert all(one.events_per_second < other.events_per_second for one, other in pairwise(found))
    assert all(one.cheaper_above != other.cheaper_above for one, other in pairwise(found))
    below = [each for each in found if each.events_per_second < at]
    nearest = below[-1].cheaper_above if below else cheaper(load, Fraction(1, 10**9))
    both = costs(load, at)
    if both["provisioned"] != both["on demand"]:
        assert cheaper(load, at) == nearest


def test_a_step_by_hand() -> None:
    # 80 events/s x 50 are 4,000 in the busiest second, so 4 shards: 43.80 + 2.94 = 46.74; above it 5: 57.69.
    # On demand 29.20 + 200.50049 GB x 0.08 + 176.22113 GB x 0.04 = 52.29 at either side.
    load = Load(events_per_second=1, average_bytes=900, peak_factor=50)
    assert list(crossovers(load, PRICES)) == [Crossover(Fraction(80), "on demand", "shards")]
    assert {mode: round(float(each), 2) for mode, each in costs(load, Fraction(80)).items()} == {
        "provisioned": 46.74,
        "on demand": 52.29,
    }


def test_to_and_fro_by_hand() -> None:
    # From 125 to 150 events/s, with 40 times as many in the busiest second, it is 6 shards: 65.70, and
    # 0.036792 an event/s, against 29.20 and 0.288609: the same at 36.50 / 0.251817 = 144.946.
    load = Load(events_per_second=1, average_bytes=900, peak_factor=40)
    found = [(round(float(each.events_per_second), 2), each.cause) for each in crossovers(load, PRICES)]
    assert found[2:] == [(125.0, "shards"), (144.95, "even"), (150.0, "shards")]


def test_a_steady_load_is_always_cheaper_provisioned() -> None:
    # A full shard costs 10.95 + 36.79 for 1,000 events/s; on demand they cost 288.61 at 900 bytes.
    assert list(crossovers(Load(events_per_second=1, average_bytes=900), PRICES)) == []


@given(st.integers(1, 100_000), st.integers(6, 20), st.integers(1, 6))
def test_endpoints_overtake_nat_gateways_at_their_even_load(size: int, count: int, zones: int) -> None:
    load = Load(events_per_second=1, average_bytes=size)
    deployment = Deployment(tasks=Tasks(2, SMALL), endpoints=count, zones=zones)
    at = even_endpoints(load, deployment, PRICES)

    def dearer(events_per_second: Fraction) -> Fraction:
        there = replace(load, events_per_second=events_per_second)
        return endpoints(there, deployment, PRICES).dollars - nat_gateways(there, deployment, PRICES).dollars

    assert abs(dearer(at)) < CENT
    assert dearer(at * Fraction(9, 10)) > 0 > dearer(at * Fraction(11, 10))
