"""The lines, held against the specification of the embedded metric format and against what was counted."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.metrics import names
from headgate.metrics.emf import ACTIVE_SECONDS, EmfLog, audience_line, lines
from headgate.metrics.histogram import VALUES, bucket_of
from headgate.metrics.snapshot import Figures
from headgate.metrics.store import Metrics
from tests.metrics.strategies import DESTINATIONS, figures

UNITS = {"Seconds", "Milliseconds", "Bytes", "Count", "None"}
NOW = 1_700_000_000.25


def conforming(line: bytes) -> dict[str, Any]:
    """Return a line's document after checking every rule that the specification states."""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) < 256 * 1024
    document: dict[str, Any] = json.loads(line)
    metadata = document["_aws"]
    assert isinstance(metadata["Timestamp"], int)
    [directive] = metadata["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert re.fullmatch(r"[A-Za-z0-9._/#:-]{1,255}", directive["Namespace"])
    assert not directive["Namespace"].startswith("AWS/")
    dimensions = {name for each in directive["Dimensions"] for name in each}
    assert all(1 <= len(each) <= 30 for each in directive["Dimensions"])
    for dimension in dimensions:
        assert re.fullmatch(r"[ -~]{1,1024}", document[dimension])
        assert not document[dimension].startswith(":")
    assert 1 <= len(directive["Metrics"]) <= 100
    for metric in directive["Metrics"]:
        assert metric.keys() == {"Name", "Unit"}
        assert 1 <= len(metric["Name"]) <= 255
        assert metric["Unit"] in UNITS
        target = document[metric["Name"]]
        if isinstance(target, dict):
            assert target.keys() == {"Values", "Counts"}
            assert 1 <= len(target["Values"]) == len(target["Counts"]) <= 100
            assert all(isinstance(value, int | float) for value in target["Values"])
            assert all(isinstance(count, int) and count > 0 for count in target["Counts"])
        else:
            assert isinstance(target, int | float)
    named = {metric["Name"] for metric in directive["Metrics"]}
    assert document.keys() == {"_aws", *dimensions, *named}
    return document


class Log:
    """Metrics, and the documents that were written of them."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.documents: list[dict[str, Any]] = []
        self._emf = EmfLog("tests", lambda line: self.documents.append(conforming(line)))

    def tell(self, now: float = NOW) -> list[dict[str, Any]]:
        """Return what is written now."""
        before = len(self.documents)
        self._emf.tell(self.metrics, now)
        return self.documents[before:]


@given(figures(per_destination=True), st.text(min_size=1, max_size=300))
def test_every_line_is_as_the_specification_wants_it(of_destination: Figures, destination: str) -> None:
    dimensions = {"Service": "headgate", "Destination": destination}
    for line in lines(of_destination, dimensions, NOW):
        document = conforming(line)
        assert document["_aws"]["Timestamp"] == 1_700_000_000_250
        assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service", "Destination"]]


def test_a_distribution_of_more_values_than_a_metric_may_have_goes_on_in_another_line() -> None:
    buckets = {index: index + 1 for index in range(len(VALUES))}
    written = [
        conforming(line) for line in lines(Figures({}, {}, {"PutLatency": buckets}), {"Service": "s"}, 0)
    ]
    assert len(written) == 2
    told = Counter[float]()
    for document in written:
        told.update(
            dict(zip(document["PutLatency"]["Values"], document["PutLatency"]["Counts"], strict=True))
        )
    assert told == {VALUES[index]: count for index, count in buckets.items()}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["count", "observe", "drop", "tell"]),
        st.sampled_from(DESTINATIONS),
        st.integers(1, 100_000),
    ),
    max_size=40,
)


@given(STEPS)
def test_what_consecutive_lines_count_adds_up_to_all_that_was_counted(
    steps: list[tuple[str, str, int]],
) -> None:
    log = Log()
    counted, observed = Counter[str](), Counter[tuple[str, float]]()
    for step, destination, amount in steps:
        if step == "count":
            log.metrics.counter(names.DELIVERED_RECORDS, destination).value += amount
            counted[destination] += amount
        elif step == "observe":
            log.metrics.distribution(names.PUT_LATENCY, destination).observe(amount)
            observed[destination, VALUES[bucket_of(amount)]] += 1
        elif step == "drop":
            log.metrics.drop(destination)
        else:
            log.tell()
    log.tell()
    told, told_observed = Counter[str](), Counter[tuple[str, float]]()
    for document in log.documents:
        told[document["Destination"]] += document.get("DeliveredRecords", 0)
        latency = document.get("PutLatency", {"Values": [], "Counts": []})
        for value, count in zip(latency["Values"], latency["Counts"], strict=True):
            told_observed[document["Destination"], value] += count
    assert (told - Counter(), told_observed) == (counted, observed)


def test_nothing_is_written_while_nothing_happens() -> None:
    log = Log()
    log.metrics.counter(names.ACCEPTED_EVENTS)
    log.metrics.counter(names.DELIVERED_RECORDS, "s/e")
    log.metrics.distribution(names.PUT_LATENCY, "s/e")
    log.metrics.gauge(names.HELD_BYTES, "s/e", lambda: 0)
    log.metrics.gauge(names.CREDENTIALS_AGE, "s/e", lambda: 50)
    assert log.tell() == []
    log.metrics.counter(names.ACCEPTED_EVENTS).value += 1
    assert [document["AcceptedEvents"] for document in log.tell()] == [1]
    assert log.tell() == []


def test_gauges_of_a_destination_are_told_for_a_while_after_its_last_event() -> None:
    log = Log()
    log.metrics.gauge(names.HELD_BYTES, "s/e", lambda: 0)
    log.metrics.counter(names.DELIVERED_RECORDS, "s/e").value += 1
    assert [document["DeliveredRecords"] for document in log.tell(NOW)] == [1]
    [quiet] = log.tell(NOW + ACTIVE_SECONDS - 1)
    assert quiet["HeldBytes"] == 0
    assert "DeliveredRecords" not in quiet
    assert log.tell(NOW + ACTIVE_SECONDS) == []


@pytest.mark.parametrize("gauge", [names.HELD_BYTES, names.PAUSED, names.SINGLES_MODE])
def test_a_destination_that_holds_something_or_is_paused_is_told_of_as_long_as_it_is(
    gauge: names.Gauge,
) -> None:
    log, value = Log(), [1.0]
    log.metrics.gauge(gauge, "s/e", lambda: value[0])
    for minute in range(60):
        [document] = log.tell(NOW + 60 * minute)
        assert document[gauge.name] == 1
    value[0] = 0
    [mended] = log.tell(NOW + 60 * 60)
    assert mended[gauge.name] == 0


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        ("s/events", "s/events"),
        ("\u00fc\n/e", "\\u00fc\\u000a/e"),
        (":s/e", "\\u003as/e"),
        ("s" * 2000, "s" * 1024),
    ],
)
def test_a_name_that_cloudwatch_would_refuse_is_escaped(destination: str, told: str) -> None:
    [line] = lines(Figures({"DeliveredRecords": 1}), {"Destination": destination}, NOW)
    assert conforming(line)["Destination"] == told


def test_a_sync_counts_for_its_audience_and_for_the_service_as_a_whole() -> None:
    values = {names.AUDIENCE_SYNCS.name: 1, names.AUDIENCE_MEMBERS.name: 0}
    document = conforming(audience_line(values, "shop", "K\u00e4ufer, 30 days", NOW))
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Service"], ["Service", "Audience"]]
    assert (document["Service"], document["Audience"]) == ("shop", "K\\u00e4ufer, 30 days")
    assert (document["AudienceSyncs"], document["AudienceMembers"]) == (1, 0)
