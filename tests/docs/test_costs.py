"""The costs in docs/deploy.md are what docs/costs.py works out, of what a forwarder is made of."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from constructs_lib import ShardCapacity
from docs.costs import (
    Load,
    Prices,
    cost,
    endpoints,
    even_gb,
    nat_gateways,
    others,
    stream_provisioned,
    tables,
)
from headgate.metrics import names

DOCUMENT = (Path(__file__).parents[2] / "docs/deploy.md").read_text(encoding="utf-8")


def test_the_tables_of_the_document_are_those_of_the_script() -> None:
    for table in tables(Load(), Prices()):
        assert f"\n\n{table}\n\n" in DOCUMENT, "write it anew: python docs/costs.py"


def metrics_of(alarm: dict[str, Any]) -> int:
    """How many metrics an alarm looks at, each of which is billed."""
    return len([each for each in alarm.get("Metrics", []) if "MetricStat" in each]) or 1


def test_the_load_is_what_there_is(assembly: Path) -> None:
    load = Load()
    resources = json.loads((assembly / "headgate-prod-forwarder.template.json").read_text())["Resources"]
    of = {
        type_: [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{type_}"]
        for type_ in ("CloudWatch::Alarm", "CloudWatch::Dashboard", "EC2::VPCEndpoint")
    }
    assert load.alarm_metrics == sum(map(metrics_of, of["CloudWatch::Alarm"]))
    assert load.endpoints == len([e for e in of["EC2::VPCEndpoint"] if e["VpcEndpointType"] == "Interface"])
    assert len(of["CloudWatch::Dashboard"]) == 1
    assert load.metrics == len([each for each in names.METRICS.values() if not each.per_audience])


def test_the_shards_are_those_of_the_load() -> None:
    load = Load()
    capacity = ShardCapacity.for_load(
        events_per_second=load.events_per_second,
        average_event_bytes=load.event_bytes,
        peak_factor=2,
        headroom=1.25,
    )
    assert load.shards == capacity.shard_count


def test_the_even_load_of_endpoints_and_nat_gateways_is_the_documents() -> None:
    [told] = re.findall(r"(\d+) GB a month", DOCUMENT)
    assert even_gb(Load(), Prices()) == pytest.approx(int(told), abs=10)
    for gb, cheaper, dearer in ((500, nat_gateways, endpoints), (1_500, endpoints, nat_gateways)):
        load = Load(events_per_second=round(gb / Load().gb * 1_000))
        assert cost(cheaper(load, Prices())) < cost(dearer(load, Prices()))


def test_what_a_forwarder_without_load_costs_is_told() -> None:
    load, price = Load(events_per_second=0, tasks=1, shards=1), Prices()
    rest = sum(map(cost, [stream_provisioned(load, price), *others(load, price)]))
    [told] = re.findall(r"about (\d+) dollars a month, (\d+) of them for\nendpoints", DOCUMENT)
    assert [round(rest + cost(endpoints(load, price))), round(cost(endpoints(load, price)))] == pytest.approx(
        list(map(int, told)), abs=5
    )
    [told] = re.findall(r"private_delivery = false` it is about (\d+)", DOCUMENT)
    assert rest + cost(nat_gateways(load, price)) == pytest.approx(int(told), abs=5)
