"""The page is there at once, tells what it is told, and nothing that it shows does anything."""

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from aiohttp import web
from moto import mock_aws

from headgate.console.desk import Elsewhere
from headgate.console.feed import Feeds, Stream
from headgate.console.overview import amounts, parts
from headgate.console.overview.observer import Observer
from headgate.console.overview.standing import MEANINGS, destination_rows, source_rows
from headgate.console.overview.status_page import Readings, StatusFigures
from headgate.console.overview.stream_loads import StreamLoads
from headgate.console.pages import rendered
from headgate.console.sources import Listed, Sources
from headgate.reading.reader import Batch
from headgate.reading.record import Record
from headgate.settings.schema import Destination, Source
from headgate.status.report import Pause
from headgate.testing import FakeKinesis
from tests.console.overview.played import Forwarder, decoded, page, playing, until
from tests.console.visitor import Visitor, visiting

HOSTILE = "<img src=x onerror=alert(1)>'\"&\u202e\x1b[31m"
EVERY_PART = {"headline", "process", "counted-head", "counted", "settings", "sources", "destinations"}


async def parts_of(visitor: Visitor, wanted: set[str], path: str = "/overview/events") -> dict[str, str]:
    """Return the newest of each of some parts, once all of them came."""
    found: dict[str, str] = {}
    count = 0
    while not wanted <= found.keys():
        count += len(wanted) + 1
        found = dict(await visitor.events(path, count))
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forwarder is asked every twentieth of a second in place of every second."""
    monkeypatch.setattr(StatusFigures, "interval", 0.05)


def played(forwarder: Forwarder) -> None:
    """Have it accept and deliver ten events between each two answers."""
    events = 0

    async def answer() -> web.StreamResponse:
        nonlocal events
        events += 10
        return web.Response(body=page(100 + events / 10, accepted=events, delivered=events))

    forwarder.answer = answer


async def test_the_page_comes_though_the_settings_never_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def never(_: Sources) -> list[Listed]:
        answered.wait(20)
        return []

    monkeypatch.setattr(Sources, "every", never)
    async with visiting(tmp_path) as visitor:
        for path in ("/", "/?shards=1"):
            answer = await visitor.get(path)
            assert answer.status == 200
            assert "<h1>Overview</h1>" in answer.text
        found = await parts_of(visitor, {"settings"})
        assert "Reading the settings" in found["settings"]
    answered.set()


async def test_the_page_itself_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Sources) -> list[Listed]:
        raise AssertionError("the settings were asked for")

    monkeypatch.setattr(Sources, "every", refused)
    async with playing() as forwarder, visiting(tmp_path, status=forwarder.url) as visitor:
        assert (await visitor.get("/")).status == 200
        assert not visitor.app.state.observer.observer.looking
        assert forwarder.asked == []


async def test_without_a_forwarder_it_says_so_and_still_shows_the_settings(tmp_path: Path) -> None:
    async with visiting(tmp_path, status="http://127.0.0.1:1/statusz") as visitor:
        found = await parts_of(visitor, EVERY_PART | {"points"})
        while "Website" not in found["sources"]:
            found = await parts_of(visitor, EVERY_PART | {"points"})
    assert "http://127.0.0.1:1/statusz" in found["headline"]
    assert "connection refused" in found["headline"]
    assert "--status" in found["headline"]
    assert found["headline"].count("\n") <= 1
    assert "events" in found["destinations"]
    assert "unknown" in found["destinations"]
    told = json.loads(found["points"])
    assert set(map(type, told["rows"][-1][1:])) == {type(None)}


async def test_what_flows_is_told_as_points_and_parts(tmp_path: Path) -> None:
    async with playing() as forwarder:
        played(forwarder)
        async with visiting(tmp_path, status=forwarder.url) as visitor:
            events = await visitor.events("/overview/events", 40)
            observer = visitor.app.state.observer.observer
            assert observer.looking
            await until(lambda: observer._viewers == 0)
    shown = {name: [data for of, data in events if of == name] for name in EVERY_PART | {"points"}}
    assert "1.2.3" in shown["process"][-1]
    assert any("Delivering to web/events" in each for each in shown["headline"])
    assert any("delivering" in each for each in shown["destinations"])
    rows = [row for each in shown["points"] for row in json.loads(each)["rows"]]
    names = json.loads(shown["points"][0])["names"]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    rates = [row[names.index("events") + 1] for row in rows]
    assert any(rate is not None and rate > 0 for rate in rates)


async def test_settings_that_cannot_be_read_are_one_line_and_the_figures_go_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[[sources]]\nid = 1\n")
    async with playing() as forwarder:
        played(forwarder)
        async with visiting(tmp_path, sources=str(broken), status=forwarder.url) as visitor:
            found = await parts_of(visitor, EVERY_PART)
            while "fault" not in found["settings"] or "delivering" not in found["destinations"]:
                found = await parts_of(visitor, EVERY_PART)
    assert str(broken) in found["settings"]
    for name in ("sources", "destinations"):
        assert "web" in found[name]
        assert "not in the settings" not in found[name]


async def test_what_either_side_does_not_know_is_shown(tmp_path: Path) -> None:
    async with playing() as forwarder:
        forwarder.shows(page(source="gone", stream="old"))
        async with visiting(tmp_path, status=forwarder.url) as visitor:
            found = await parts_of(visitor, EVERY_PART)
            while not all(
                "gone" in found[name] and "web" in found[name] for name in ("sources", "destinations")
            ):
                found = await parts_of(visitor, EVERY_PART)
    assert found["sources"].count("not in the settings") == 1
    assert found["destinations"].count("not in the settings") == 1
    assert "nothing yet" in found["destinations"]


async def test_a_forwarder_elsewhere_is_shown_by_what_cloudwatch_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dimensions = [
            {"Name": "Service", "Value": "headgate"},
            {"Name": "Destination", "Value": "web/events"},
        ]
        told: Any = {
            "MetricName": "DeliveredRecords",
            "Dimensions": dimensions,
            "Timestamp": datetime.fromtimestamp((time.time() - 60) // 60 * 60 - 30, UTC),
            "Value": 120,
        }
        boto3.client("cloudwatch", region_name="eu-west-1").put_metric_data(
            Namespace="Headgate", MetricData=[told]
        )
        async with visiting(tmp_path, cloudwatch=Elsewhere("headgate", "eu-west-1")) as visitor:
            assert "a point every 1 min" in (await visitor.get("/")).text
            found = await parts_of(visitor, EVERY_PART)
            while "Website" not in found["sources"] or "delivering" not in found["destinations"]:
                found = await parts_of(visitor, EVERY_PART)
    assert "Delivering to web/events" in found["headline"]
    assert "CloudWatch in eu-west-1, service headgate" in found["process"]
    assert "CloudWatch is told nothing of single sources" in found["sources"]
    assert ">120<" in found["destinations"]


async def test_hostile_names_are_texts() -> None:
    listed = [
        Listed(
            Source(
                id=HOSTILE,
                name=HOSTILE * 20,
                write_keys=("wk_secret",),
                destinations=(
                    Destination(
                        stream_name="events",
                        role_address="arn:aws:iam::123456789012:role/x",
                        secret_id="hidden",
                    ),
                ),
            )
        )
    ]
    shown = page(source=HOSTILE, stream=HOSTILE, paused=Pause(HOSTILE, HOSTILE * 100), rejected={HOSTILE: 3})
    look = Readings().take(1.0, decoded(shown))
    sources, destinations = source_rows(listed, look), destination_rows(listed, look)
    common = {"amounts": amounts, "look": look, "meanings": MEANINGS, "settings_read": True, "more": 3}
    for text in (
        rendered("overview/sources.html", rows=sources, **common),
        rendered("overview/destinations.html", rows=destinations, **common),
        rendered("overview/headline.html", tone="bad", headline=HOSTILE),
        rendered("overview/settings.html", settings_fault=HOSTILE, settings_read=True),
    ):
        assert "<img" not in text
        assert "&lt;img" in text
        assert "wk_secret" not in text
        assert "hidden" not in text


def test_each_shard_is_shown_beside_its_limits() -> None:
    now = 1_000_000.0
    feeds, stream = Feeds(), Stream("us-west-2", "events")
    loads = StreamLoads(feeds, lambda: now)
    loads.of(stream)
    for _ in range(20):
        now += 1
        record = Record("1", "k", now - 0.5, b"x" * 99_999)
        for shard_id, records in (("s-1", [record] * 9), ("s-2", [])):
            for watch in feeds.of(stream).watchers:
                watch(Batch(shard_id, records, 0))
    texts = parts.load_texts(loads, [stream, *(Stream("us-west-2", f"other-{n}") for n in range(9))], now)
    assert "900 kB" in texts["shards"]
    assert 'aria-label="s-1: 90 % of its limit in bytes"' in texts["shards"]
    assert 'value="90.00"' in texts["shards"]
    assert "not read: 2 more" in texts["reading"]
    [drawn] = [each for each in json.loads(texts["load"])["streams"] if each["times"]]
    assert drawn["name"] == "events in us-west-2"
    assert drawn["shards"] == ["s-1", "s-2"]
    assert {len(drawn["times"])} == {len(line) for line in drawn["records"] + drawn["bytes"]}
    assert drawn["bytes"][0][-1] == 900_000


def test_tables_are_bounded_and_say_so() -> None:
    destinations = tuple(Destination(stream_name=f"s{n}") for n in range(parts.MOST_ROWS + 5))
    observer = Observer(StatusFigures("http://127.0.0.1:1", cast("Any", None), time.time), cast("Any", None))
    observer.listed = [Listed(Source(id="web", write_keys=("wk",), destinations=destinations))]
    shown = parts.texts(observer, 0.0)["destinations"]
    assert shown.count("<tr>") == parts.MOST_ROWS + 1
    assert "and 5 more" in shown


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (page(draining=True), "drains"),
        (page(paused=Pause("AccessDenied", "no")), "web/events is paused"),
        (page(held=4, oldest=20), "web/events takes nothing now"),
        (page(), "nothing is coming in"),
    ],
)
def test_the_headline_says_what_needs_somebody(shown: bytes, expected: str) -> None:
    observer = Observer(StatusFigures("http://127.0.0.1:1", cast("Any", None), time.time), cast("Any", None))
    readings = Readings()
    readings.take(999.0, decoded(shown))
    observer.seen = readings.take(1000.0, decoded(shown))
    assert expected in parts.texts(observer, 1000.0)["headline"]
    assert "No figures came for 1 min" in parts.texts(observer, 1075.0)["headline"] or "drains" in expected
    observer.fault = "not reachable"
    assert "not reachable" in parts.texts(observer, 1000.0)["headline"]


async def test_the_load_of_each_shard_is_read_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        monkeypatch.setenv("AWS_ENDPOINT_URL", kinesis.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        async with visiting(tmp_path) as visitor:
            feed = visitor.app.state.desk.feeds.of(Stream("us-west-2", "events"))
            assert "Read the streams for load per shard" in (await visitor.get("/")).text
            await parts_of(visitor, EVERY_PART)
            assert feed.watchers == []
            page_with = await visitor.get("/?shards=1")
            assert "Stop reading the streams" in page_with.text
            assert '"/overview/events?shards=1"' in page_with.text
            found = await parts_of(visitor, {"shards", "reading", "load"}, "/overview/events?shards=1")
            assert len(feed.watchers) == 1
    assert "events" in found["reading"]
    assert json.loads(found["load"])["limits"] == {"records": 1000, "bytes": 1_000_000}
