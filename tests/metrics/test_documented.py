"""The registry holds what CloudWatch takes, and docs/metrics.md tells all of it."""

import re
from pathlib import Path

import pytest

from headgate.metrics import names
from headgate.metrics.emf import NAMESPACE

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| `(?P<name>\w+)` \| (?P<kind>\w+) \| (?P<unit>\w+) \| (?P<across>\w*) \| (?P<meaning>[^|]+) \|$",
    DOCUMENT,
    re.MULTILINE,
)
SECTIONS = ("### Of the service alone", "### With a destination", "### Of an audience's sync")


def test_the_document_lists_every_metric_once_and_no_other() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(names.METRICS)


@pytest.mark.parametrize("metric", names.METRICS.values(), ids=lambda metric: metric.name)
def test_the_document_tells_kind_unit_and_meaning(metric: names.Metric) -> None:
    across = metric.across if isinstance(metric, names.Gauge) else ""
    wanted = (metric.name, metric.kind, metric.unit, across, metric.meaning)
    assert wanted in ROWS
    before = DOCUMENT[: DOCUMENT.index(f"| `{metric.name}` |")]
    section = SECTIONS[2] if metric.per_audience else SECTIONS[metric.per_destination]
    assert max(SECTIONS, key=before.rfind) == section


def test_every_metric_that_the_document_speaks_of_is_one() -> None:
    before, alarms = DOCUMENT.split("\n## Alarms\n")  # whose names are tested beside the construct
    elsewhere = before + alarms.split("\n## ", 1)[1]
    spoken_of = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", elsewhere))
    assert spoken_of <= names.METRICS.keys()
    assert f"`{NAMESPACE}`" in DOCUMENT


def test_constants_are_named_as_their_metrics_are() -> None:
    for metric in names.METRICS.values():
        constant = re.sub(r"(?<!^)(?=[A-Z])", "_", metric.name).upper()
        assert getattr(names, constant) is metric


def test_one_directive_has_room_for_all() -> None:
    assert len(names.METRICS) <= 100
