"""Answers of a status page become rates that are never negative or absurd, whatever happens in between."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.overview import status_page
from headgate.console.overview.figures import Look
from headgate.console.overview.status_page import SPAN_SECONDS, Readings, StatusFigures
from headgate.errors import HeadgateError
from headgate.status.report import Pause
from tests.console.overview.played import Forwarder, changed, decoded, page, playing


def accepted(look: Look) -> float | None:
    return look.points[0].events


def test_a_counter_becomes_a_rate_per_minute() -> None:
    readings = Readings()
    assert accepted(readings.take(1000.0, decoded(page(100, accepted=50)))) is None
    assert accepted(readings.take(1001.0, decoded(page(101, accepted=70)))) == 20 * 60
    assert accepted(readings.take(1002.0, decoded(page(102, accepted=70)))) == 10 * 60
    look = readings.take(1003.0, decoded(page(103, accepted=100)))
    assert accepted(look) == 50 * 60 / 3
    assert look.span.per_minute((look.span.accepted or {})["web"]) == 50 * 60 / 3


def test_rates_are_of_the_last_seconds_alone() -> None:
    readings = Readings()
    for second in range(31):
        events = 1000 if second < 10 else 1000 + (second - 10)
        look = readings.take(second, decoded(page(100 + second, accepted=events)))
    assert look.span.seconds == SPAN_SECONDS
    assert accepted(look) == 60


@pytest.mark.parametrize("events", [0, 3, 5000])
def test_a_restart_begins_anew(events: int) -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(500, accepted=4000)))
    look = readings.take(1001.0, decoded(page(0, accepted=events)))
    assert accepted(look) is None
    assert look.recent["SettingsFailures"] == 0
    assert accepted(readings.take(1002.0, decoded(page(1, accepted=events + 2)))) == 120


def test_a_restart_is_seen_after_a_while_away_though_the_uptime_did_not_fall() -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(3, accepted=100)))
    assert accepted(readings.take(1008.0, decoded(page(4, accepted=900)))) is None


def test_after_a_while_away_there_is_nothing_to_compare_with() -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(100, accepted=10)))
    assert accepted(readings.take(1011.0, decoded(page(111, accepted=10_000)))) is None


def test_a_destination_that_was_dropped_and_came_back_counts_from_nothing() -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(100, delivered=900)))
    look = readings.take(1001.0, decoded(page(101, delivered=4)))
    assert look.span.destinations["web/events"].counts["DeliveredRecords"] == 4


def test_percentiles_are_of_what_came_in_between() -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(100, latencies={20: 1_000_000})))
    point = readings.take(1001.0, decoded(page(101, latencies={20: 1_000_000, 500: 10}))).points[0]
    assert point.put_p50 == pytest.approx(500, rel=0.05)
    assert point.acknowledged_p99 == pytest.approx(500, rel=0.05)
    point = readings.take(1011.5, decoded(page(112, latencies={20: 1_000_000, 500: 10}))).points[0]
    assert (point.put_p50, point.acknowledged_p99) == (None, None)


def test_what_only_the_forwarder_can_tell_is_kept() -> None:
    shown = page(60, delivered=5, paused=Pause("AccessDenied", "no"), draining=True, rejected={"bad": 2})
    process = Readings().take(0.0, decoded(shown)).process
    assert process is not None
    assert (process.version, process.uptime_seconds, process.draining) == ("1.2.3", 60, True)
    assert process.pauses == {"web/events": Pause("AccessDenied", "no")}
    assert process.rejected == {"web": {"bad": 2}}
    assert process.delivered == {"web/events": 5}
    assert process.restarts == [0]


def test_what_was_counted_lately_is_beside_what_was_counted_since_the_start() -> None:
    readings = Readings()
    readings.take(1000.0, decoded(page(100, more={"SpilledRecords": 40})))
    look = readings.take(1200.0, decoded(page(300, more={"SpilledRecords": 45})))
    assert (look.recent["SpilledRecords"], look.recent_seconds) == (5, 200)
    assert look.process is not None
    assert look.process.totals["SpilledRecords"] == 45


steps = st.tuples(
    st.one_of(st.integers(1, 12), st.integers(-400, 400)),
    st.integers(0, 5000),
    st.sampled_from(["on", "on", "anew"]),
)


@settings(deadline=None)
@given(st.lists(steps, min_size=1, max_size=40))
def test_no_rate_is_negative_or_more_than_was_counted(every: list[tuple[int, int, str]]) -> None:
    readings, at, uptime, total = Readings(), 10_000.0, 0.0, 0
    counted: list[tuple[float, int]] = []
    for quarters, count, what in every:
        elapsed = quarters / 4  # floats are exact so
        at += elapsed
        uptime = max(uptime + elapsed, 0) if what == "on" else min(abs(elapsed), 1.0)
        total = total + count if what == "on" else count
        counted.append((at, count))
        look = readings.take(at, decoded(page(uptime, accepted=total, delivered=total, latencies={5: total})))
        if look.span.seconds is None:
            assert accepted(look) is None
            continue
        assert 0 < look.span.seconds <= SPAN_SECONDS
        since = sum(each for when, each in counted if when > at - look.span.seconds)
        assert 0 <= look.span.service.counts["AcceptedEvents"] <= since
        assert 0 <= look.span.destinations["web/events"].counts["DeliveredRecords"] <= since
        assert look.points[0].share in (None, 1)


@pytest.fixture
async def forwarder() -> AsyncIterator[Forwarder]:
    async with playing() as played:
        yield played


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def test_a_page_that_is_there_is_read_with_its_buckets(
    forwarder: Forwarder, http: aiohttp.ClientSession
) -> None:
    forwarder.shows(page(accepted=3))
    look = await StatusFigures(forwarder.url, http, time.time).look()
    assert look.process is not None
    assert look.process.version == "1.2.3"
    assert forwarder.asked == ["/statusz?buckets"]


GOOD = page()


@pytest.mark.parametrize(
    "shown",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version": 1}',
        changed(GOOD, uptime_seconds=-1),
        changed(GOOD, uptime_seconds=None),
        changed(GOOD, metrics={"AcceptedEvents": -5}),
        changed(GOOD, metrics={"AcceptedEvents": 1e300}),
        changed(GOOD, metrics={"AcknowledgementLatency": {"buckets": {"100000": 1}}}),
        changed(GOOD, metrics={"AcknowledgementLatency": {"buckets": {"3": -1}}}),
        changed(GOOD, sources={"web": {"accepted": -1}}),
        changed(GOOD, destinations=[]),
        GOOD[: len(GOOD) // 2],
    ],
)
async def test_what_is_no_status_page_is_said_to_be_none(
    forwarder: Forwarder, http: aiohttp.ClientSession, shown: bytes
) -> None:
    forwarder.shows(shown)
    with pytest.raises(
        HeadgateError, match="the answer is no status page of a forwarder; name another with --status"
    ):
        await StatusFigures(forwarder.url, http, time.time).look()


async def test_a_forwarder_of_old_tells_no_buckets(forwarder: Forwarder, http: aiohttp.ClientSession) -> None:
    forwarder.shows(changed(GOOD, metrics={"AcknowledgementLatency": {"count": 3, "p50": 1.0}, "New": 5}))
    look = await StatusFigures(forwarder.url, http, time.time).look()
    assert look.points[0].acknowledged_p50 is None


async def test_why_it_is_not_reachable_is_one_line_that_names_it_without_its_password(
    forwarder: Forwarder, http: aiohttp.ClientSession
) -> None:
    figures = StatusFigures(forwarder.url.replace("//", "//operator:secret@"), http, time.time)
    forwarder.shows(b"no", 404)
    with pytest.raises(HeadgateError, match="answered 404") as raised:
        await figures.look()
    await forwarder.stop()
    with pytest.raises(HeadgateError, match="connection refused") as refused:
        await figures.look()
    for text in (str(raised.value), str(refused.value), figures.where):
        assert "secret" not in text
        assert forwarder.url in text


async def test_an_answer_that_does_not_come_is_not_waited_for(
    forwarder: Forwarder, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_page, "ANSWER_WITHIN", 0.05)
    release = asyncio.Event()

    async def slow() -> web.StreamResponse:
        await release.wait()
        return web.Response(body=GOOD)

    forwarder.answer = slow
    with pytest.raises(HeadgateError, match=r"did not answer within 0\.05 s"):
        await StatusFigures(forwarder.url, http, time.time).look()
    release.set()


async def test_an_answer_without_end_is_not_kept(
    forwarder: Forwarder, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_page, "MOST_BYTES", 100)
    forwarder.shows(GOOD)
    with pytest.raises(HeadgateError, match="no status page"):
        await StatusFigures(forwarder.url, http, time.time).look()


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[",
        "http://o:secret@",
        "http://o:secret@h:99999/",
        "http://127.0.0.1:0/",
    ],
)
async def test_a_url_that_cannot_be_is_a_fault_like_any_other(http: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(HeadgateError, match="not reachable") as raised:
        await StatusFigures(url, http, time.time).look()
    assert "secret" not in str(raised.value)
