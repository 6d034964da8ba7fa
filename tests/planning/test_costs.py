"""What a stream costs, by hand. A month has 730 hours, which are 2,628,000 seconds; a GB has 2**30 bytes."""

from fractions import Fraction

import pytest

from headgate.planning.costs import (
    KB,
    PUT_UNIT,
    Deployment,
    endpoints,
    forwarder,
    nat_gateways,
    on_demand,
    provisioned,
)
from headgate.planning.load import Load
from headgate.planning.prices import price_table
from headgate.planning.shards import shards_for
from headgate.planning.tasks import SMALL, Tasks

PRICES = price_table().prices
DEPLOYMENT = Deployment(tasks=Tasks(2, SMALL))


def test_the_example_of_the_pricing_page() -> None:
    # aws.amazon.com/kinesis/data-streams/pricing, provisioned mode: 100 records of 35 KB a second need four
    # shards, and cost 44.64 for these and 7.50 for 535.68 million PUT units in a month of 31 days.
    load = Load(events_per_second=100, average_bytes=35 * 1_024)
    assert shards_for(load).count == 4
    shards, units = provisioned(load, 4, PRICES).parts
    days = Fraction(31 * 24, 730)
    assert float(shards.amount * days * shards.price) == pytest.approx(44.64, abs=0.005)
    assert float(units.amount * days) == pytest.approx(535.68)
    assert float(units.amount * days * units.price) == pytest.approx(7.50, abs=0.005)
    assert float(provisioned(load, 4, PRICES).dollars * days) == pytest.approx(52.14, abs=0.005)


@pytest.mark.parametrize(("size", "units"), [(5 * 1_024, 1), (45 * 1_024, 2), (1_000_000, 40)])
def test_put_units_of_a_record_as_the_pricing_page_counts_them(size: int, units: int) -> None:
    # aws.amazon.com/kinesis/pricing: "a 5KB record contains one, a 45KB record two, and a 1MB record 40".
    assert Load(events_per_second=1, average_bytes=size).units(PUT_UNIT) == units


def test_kilobytes_of_a_record_as_the_pricing_page_counts_them() -> None:
    # aws.amazon.com/kinesis/data-streams/pricing, on-demand mode: records of 4.5 KB count as 5 KB each.
    assert Load(events_per_second=1, average_bytes=4_608).units(KB) == 5
    assert Load(events_per_second=1, average_bytes=1_024).units(KB) == 1


@pytest.mark.parametrize(
    ("load", "as_provisioned", "as_on_demand"),
    [
        # 1 shard x 730 x 0.015 = 10.95, and 2,628 million units x 0.014 = 36.792.
        # 29.20, and 2,628 million KB = 2,506.25610 GB x 0.08 = 200.50049, and of 900 bytes 2,202.76415 GB x
        # 0.04 = 88.11057.
        (Load(events_per_second=1_000, average_bytes=900), 47.742, 317.81106),
        # 2 consumers, 60 KB: 10.95, and 26.28 million x 3 units = 78.84 x 0.014 = 1.10376. On demand 29.20,
        # 1,503.75366 GB in x 0.08 = 120.30029, and twice as much out x 0.04 is the same.
        (Load(events_per_second=10, average_bytes=61_440, consumers=2), 12.05376, 269.80058),
        # Nobody reads: 29.20 + 0.25062561 GB x 0.08 = 0.02005.
        (Load(events_per_second=0.1, average_bytes=1_000, consumers=0), 10.95368, 29.22005),
        # 48 hours: another 730 x 0.02 = 14.60. On demand what came in within 24 hours: 1,000 x 900 x 86,400 /
        # 2**30 = 72.41964 GB x 0.1 = 7.24196.
        (Load(events_per_second=1_000, average_bytes=900, retention_hours=48), 62.342, 325.05302),
        # 30 days: 23 of them beyond a week, 72.41964 x 23 = 1,665.65179 GB x 0.023 = 38.30999 in both modes;
        # the 6 days from the second one on are 434.51786 GB x 0.1 = 43.45179.
        (
            Load(events_per_second=1_000, average_bytes=900, retention_hours=720),
            47.742 + 14.60 + 38.30999,
            317.81106 + 43.45179 + 38.30999,
        ),
    ],
)
def test_a_stream_costs_what_it_costs_by_hand(load: Load, as_provisioned: float, as_on_demand: float) -> None:
    assert float(provisioned(load, 1, PRICES).dollars) == pytest.approx(as_provisioned, abs=1e-4)
    assert float(on_demand(load, PRICES).dollars) == pytest.approx(as_on_demand, abs=1e-4)


def test_a_week_is_no_long_term_and_a_day_is_not_extended() -> None:
    week = Load(events_per_second=1_000, average_bytes=900, retention_hours=168)
    assert [part.what for part in provisioned(week, 1, PRICES).parts][2:] == ["shard hours above 24 h"]
    assert [part.what for part in on_demand(week, PRICES).parts][3:] == ["GB kept 1 to 7 days"]
    day = Load(events_per_second=1_000, average_bytes=900)
    assert (len(provisioned(day, 1, PRICES).parts), len(on_demand(day, PRICES).parts)) == (2, 3)


def test_what_a_forwarder_costs_by_hand() -> None:
    load = Load(events_per_second=1_000, average_bytes=900)
    dollars = {each.name: float(each.dollars) for each in forwarder(load, DEPLOYMENT, PRICES)}
    assert dollars == pytest.approx(
        {
            # 2 tasks x 730 h x 0.5 vCPU x 0.03238, and x 1 GB x 0.00356.
            "Fargate, ARM": 23.6374 + 5.1976,
            # 730 x 0.0225, and 2,628 million x 1,100 bytes = 2,692.26730 GB, an LCU hour each, x 0.008.
            "Load balancer": 16.425 + 21.53814,
            "KMS": 1,
            # 2 x 262,800 calls.
            "Secrets Manager": 0.4 + 52.56 * 0.05,
            # 27 x 0.3, 32 x 0.1, 3, and 2 x 2,000 bytes x 43,800 minutes = 0.16317 GB x 0.5.
            "CloudWatch": 8.1 + 3.2 + 3 + 0.08158,
            "SQS": 0.2628 * 0.4,
        },
        abs=1e-4,
    )
    # 7 x 2 x 730 x 0.01 + 2,202.76415 x 0.01; 2 x 730 x (0.045 + 0.005) + 2,202.76415 x 0.045.
    assert float(endpoints(load, DEPLOYMENT, PRICES).dollars) == pytest.approx(124.22764, abs=1e-4)
    assert float(nat_gateways(load, DEPLOYMENT, PRICES).dollars) == pytest.approx(172.12439, abs=1e-4)


def test_a_component_can_be_multiplied_by_hand_as_it_is_shown() -> None:
    assert provisioned(Load(events_per_second=1_000, average_bytes=900), 3, PRICES).how == (
        "2,190 shard hours x 0.015, 2,628 million PUT units x 0.014"
    )
