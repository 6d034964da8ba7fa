"""Server-sent events reach a page as they are told, for as long as it is there."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from headgate.console import sse
from headgate.console.sse import EventStream, told
from tests.console.streams import until


def test_an_event_has_a_name_its_lines_and_a_number() -> None:
    assert told("rows", "one") == b"event: rows\ndata: one\n\n"
    assert told("rows", "one", 7) == b"event: rows\nid: 7\ndata: one\n\n"
    assert told("fault", "") == b"event: fault\ndata: \n\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_no_line_of_the_data_begins_another_event(end: str) -> None:
    assert told("rows", f"a{end}event: x{end}{end}b") == (
        b"event: rows\ndata: a\ndata: event: x\ndata: \ndata: b\n\n"
    )


def test_half_of_a_surrogate_pair_ends_no_stream() -> None:
    assert told("rows", "a\ud83db") == b"event: rows\ndata: a?b\n\n"


class Page:
    """A page as a server calls the answer for it: it goes away when `left` is set."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        self.events = events
        self.left = asyncio.Event()
        self.slow = asyncio.Event()
        self.slow.set()
        self.got: list[bytes] = []

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.slow.wait()
        self.got.append(message.get("body", b""))

    async def look(self) -> None:
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        await EventStream(self.events)(scope, self.receive, self.send)


class Events:
    """Tells of two events, then waits; notes how it ended."""

    def __init__(self, then: Exception | None = None) -> None:
        self.ended = False
        self.then = then

    async def tell(self) -> AsyncIterator[bytes]:
        try:
            yield b"1"
            yield b"2"
            if self.then is not None:
                raise self.then
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True


async def test_what_is_told_ends_when_its_page_goes_away() -> None:
    events = Events()
    page = Page(events.tell())
    looking = asyncio.create_task(page.look())
    await until(lambda: page.got[-2:] == [b"1", b"2"])
    assert not events.ended
    page.left.set()
    await looking
    await until(lambda: events.ended)


async def test_it_ends_while_a_page_takes_nothing_too() -> None:
    events = Events()
    page = Page(events.tell())
    page.slow.clear()
    looking = asyncio.create_task(page.look())
    await asyncio.sleep(0.01)
    page.slow.set()
    await until(lambda: page.got)
    page.slow.clear()
    await asyncio.sleep(0.01)
    page.left.set()
    await looking
    await until(lambda: events.ended)


async def test_it_ends_when_the_server_gives_its_answer_up() -> None:
    events = Events()
    page = Page(events.tell())
    looking = asyncio.create_task(page.look())
    await until(lambda: page.got[-1:] == [b"2"])
    looking.cancel()
    await asyncio.wait([looking])
    await until(lambda: events.ended)


async def test_an_answer_ends_with_what_is_told() -> None:
    async def tell() -> AsyncIterator[bytes]:
        yield b"1"

    page = Page(tell())
    await page.look()
    assert page.got == [b"", b"1", b""]


async def test_a_defect_is_not_swallowed() -> None:
    events = Events(then=KeyError("defect"))
    page = Page(events.tell())
    with pytest.raises(KeyError):
        await page.look()
    assert events.ended


async def test_a_quiet_page_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_KEEP_ALIVE_SECONDS", 0.01)
    events = Events()
    page = Page(events.tell())
    looking = asyncio.create_task(page.look())
    await until(lambda: page.got.count(b": nothing new\n\n") >= 2)
    page.left.set()
    await looking
    await until(lambda: events.ended)
