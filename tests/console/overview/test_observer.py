"""The observer looks while somebody looks at it, and what fails leaves a gap."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from headgate.console.overview import status_page
from headgate.console.overview.observer import Observer
from headgate.console.overview.status_page import StatusFigures
from headgate.console.sources import Listed
from headgate.errors import AwsError
from tests.console.overview.played import Forwarder, page, playing, until


class Quick(StatusFigures):
    """Every hundredth of a second in place of every second."""

    interval = 0.01


async def no_sources() -> Sequence[Listed]:
    return []


@asynccontextmanager
async def observing(forwarder: Forwarder, linger: float = 0.0) -> AsyncIterator[Observer]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        observer = Observer(Quick(forwarder.url, http, time.time), no_sources, linger=linger)
        try:
            yield observer
        finally:
            await observer.close()


async def test_nothing_is_asked_until_somebody_looks_nor_after() -> None:
    async with playing() as forwarder, observing(forwarder) as observer:
        forwarder.shows(page())
        assert not observer.looking
        assert not forwarder.asked
        with observer.watched(), observer.watched():
            await until(lambda: observer.seen is not None)
            assert observer.looking
        await until(lambda: not observer.looking)
        asked = len(forwarder.asked)
        await asyncio.sleep(0)
        assert len(forwarder.asked) == asked


async def test_who_comes_back_in_time_finds_it_looking_on() -> None:
    async with playing() as forwarder, observing(forwarder, linger=60) as observer:
        forwarder.shows(page())
        with observer.watched():
            await until(lambda: observer.seen is not None)
        asked = len(forwarder.asked)
        await until(lambda: len(forwarder.asked) > asked + 1)
        with observer.watched():
            assert observer.looking
    assert not observer.looking


async def test_a_forwarder_falls_away_comes_back_and_is_another() -> None:
    async with playing() as forwarder, observing(forwarder) as observer:
        uptime, events = 100.0, 0

        async def answer() -> web.StreamResponse:
            nonlocal events
            events += 10
            return web.Response(body=page(uptime, accepted=events))

        forwarder.answer = answer
        with observer.watched():
            await until(lambda: any(point.events for point in observer.history.after(0)[1]))
            port = int(forwarder.url.rsplit(":")[2].split("/")[0])
            await forwarder.stop()
            await until(lambda: observer.fault is not None and "connection refused" in observer.fault)
            number, points = observer.history.after(0)
            assert points[-1].events is None
            uptime, events = 0.0, 0
            await forwarder.start(port)
            await until(lambda: any(point.events for point in observer.history.after(number)[1]))
            assert observer.fault is None
            assert all(point.events is None or point.events > 0 for point in observer.history.after(0)[1])


async def test_garbage_and_silence_are_gaps_and_the_next_answer_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(status_page, "ANSWER_WITHIN", 0.05)
    async with playing() as forwarder, observing(forwarder) as observer:

        async def silent() -> web.StreamResponse:
            await asyncio.sleep(10)
            return web.Response()

        with observer.watched():
            forwarder.shows(b"{]")
            await until(lambda: observer.fault is not None and "no status page" in observer.fault)
            forwarder.answer = silent
            await until(lambda: observer.fault is not None and "did not answer" in observer.fault)
            assert all(point.held_records is None for point in observer.history.after(0)[1])
            forwarder.shows(page(held=3))
            await until(lambda: observer.fault is None)
            assert observer.history.after(0)[1][-1].held_records == 3


async def test_settings_that_cannot_be_read_leave_the_figures_as_they_are() -> None:
    async def refused() -> Sequence[Listed]:
        raise AwsError("not yours")

    async with playing() as forwarder, aiohttp.ClientSession() as http:
        forwarder.shows(page())
        observer = Observer(Quick(forwarder.url, http, time.time), refused)
        with observer.watched():
            await until(lambda: observer.seen is not None and observer.settings_fault is not None)
            assert observer.settings_fault == "not yours"
            assert observer.listed is None
            assert observer.fault is None
        await observer.close()


async def test_a_defect_in_a_look_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with playing() as forwarder, observing(forwarder) as observer:
        forwarder.shows(page())
        look = observer.figures.look
        faults = iter([ZeroDivisionError("once")])

        async def failing_once() -> object:
            for fault in faults:
                raise fault
            return await look()

        observer.figures.look = failing_once  # type: ignore[method-assign,assignment]
        with observer.watched():
            await until(lambda: observer.seen is not None)
        assert "once" in caplog.text


async def test_whoever_waits_is_told_of_the_next_look() -> None:
    async with playing() as forwarder, observing(forwarder) as observer:
        forwarder.shows(page())
        with observer.watched():
            async with asyncio.timeout(5):
                await observer.changed(60)
            assert observer.looking
