"""The costs in docs/deploy.md are what docs/costs.py works out, of what a forwarder is made of."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs.costs import DEPLOYMENT, LOAD, even_gb, tables
from headgate.metrics import names
from headgate.planning.costs import Deployment, endpoints, forwarder, gb, nat_gateways, provisioned
from headgate.planning.load import Load
from headgate.planning.prices import price_table
from headgate.planning.shards import shards_for
from headgate.planning.tasks import SMALL, Tasks

PRICES = price_table().prices

DOCUMENT = (Path(__file__).parents[2] / "docs/deploy.md").read_text(encoding="utf-8")


def test_the_tables_of_the_document_are_those_of_the_script() -> None:
    for table in tables(LOAD, DEPLOYMENT, PRICES):
        assert f"\n\n{table}\n\n" in DOCUMENT, "write it anew: python docs/costs.py"


def metrics_of(alarm: dict[str, Any]) -> int:
    """How many metrics an alarm looks at, each of which is billed."""
    return len([each for each in alarm.get("Metrics", []) if "MetricStat" in each]) or 1


def test_the_deployment_is_what_there_is(assembly: Path) -> None:
    resources = json.loads((assembly / "headgate-prod-forwarder.template.json").read_text())["Resources"]
    of = {
        type_: [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{type_}"]
        for type_ in ("CloudWatch::Alarm", "CloudWatch::Dashboard", "EC2::VPCEndpoint")
    }
    assert DEPLOYMENT.alarm_metrics == sum(map(metrics_of, of["CloudWatch::Alarm"]))
    assert DEPLOYMENT.endpoints == len(
        [e for e in of["EC2::VPCEndpoint"] if e["VpcEndpointType"] == "Interface"]
    )
    assert len(of["CloudWatch::Dashboard"]) == 1
    metrics = [each for each in names.METRICS.values() if not each.per_audience]
    assert DEPLOYMENT.metrics == len(metrics)


def test_the_load_is_that_of_the_document() -> None:
    [events, size] = re.findall(r"for ([\d,]+) events a second of (\d+) bytes all month", DOCUMENT)[0]
    assert (LOAD.events_per_second, LOAD.average_bytes) == (int(events.replace(",", "")), int(size))
    assert (shards_for(LOAD).count, DEPLOYMENT.tasks) == (3, Tasks(2, SMALL))


def test_the_even_load_of_endpoints_and_nat_gateways_is_the_documents() -> None:
    [told] = re.findall(r"(\d+) GB a month", DOCUMENT)
    assert even_gb(LOAD, DEPLOYMENT, PRICES) == pytest.approx(int(told), abs=10)
    for month, cheaper, dearer in ((500, nat_gateways, endpoints), (1_500, endpoints, nat_gateways)):
        load = Load(events_per_second=month / gb(LOAD) * 1_000, average_bytes=900)
        assert cheaper(load, DEPLOYMENT, PRICES).dollars < dearer(load, DEPLOYMENT, PRICES).dollars


def test_what_a_forwarder_without_load_costs_is_told() -> None:
    load, one = Load(events_per_second=0.001, average_bytes=900), Deployment(tasks=Tasks(1, SMALL))
    parts = [provisioned(load, 1, PRICES), *forwarder(load, one, PRICES)]
    rest = float(sum(each.dollars for each in parts))
    private, nat = (float(each(load, one, PRICES).dollars) for each in (endpoints, nat_gateways))
    [told] = re.findall(r"about (\d+) dollars a month, (\d+) of them for\nendpoints", DOCUMENT)
    assert [round(rest + private), round(private)] == pytest.approx(list(map(int, told)), abs=5)
    [alone] = re.findall(r"private_delivery = false` it is about (\d+)", DOCUMENT)
    assert rest + nat == pytest.approx(int(alone), abs=5)


def test_what_two_audiences_cost_is_told() -> None:
    of_audiences = [each for each in names.METRICS.values() if each.per_audience]
    hours = 2 * 730 * 5 / 60
    each_hour = float(PRICES.arm_vcpu_hour + 2 * PRICES.arm_gb_hour)
    # Of the service, and of each audience.
    metrics, alarms = len(of_audiences) * 3, 3
    told = (
        f"are {hours:.0f} task hours: {hours * each_hour:.2f} dollars a month",
        f"{PRICES.key} dollar for the key, {float(metrics * PRICES.metric):.2f} for twelve metrics, "
        f"{float(alarms * PRICES.alarm_metric):.2f} for three alarms",
    )
    text = " ".join(DOCUMENT.split())
    assert [each in text for each in told] == [True, True], told
