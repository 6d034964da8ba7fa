"""What was sent can be looked at for a while, by the session that sent it."""

import asyncio

import pytest

from headgate.console import sends as sends_module
from headgate.console.entry import Door, Session
from headgate.console.sends import MOST_SENDS, Send, Sends
from tests.console.streams import until


def session() -> Session:
    door = Door(lambda: 0.0)
    found = door.enter(door.link())
    assert found is not None
    return found


async def never() -> None:
    await asyncio.Event().wait()


async def test_whoever_looks_is_given_each_part_and_again_when_it_changes() -> None:
    send = Send(session())
    send.show("a", "1")
    given: list[tuple[str, str]] = []

    async def look() -> None:
        async for part, text in send.changes():
            given.append((part, text))

    looking = asyncio.create_task(look())
    await until(lambda: given == [("a", "1")])
    send.show("b", "2")
    send.show("a", "3")
    await until(lambda: given[1:] == [("a", "3"), ("b", "2")])
    send.show("b", "4")
    send.finish()
    await looking
    assert given[3:] == [("b", "4")]
    given.clear()
    await look()
    assert given == [("a", "3"), ("b", "4")], "who comes back is given what there is"


async def test_it_is_its_sessions_alone() -> None:
    mine, other, sends = session(), session(), Sends()
    send = Send(mine)
    sends.begin(send, never())
    assert sends.get(mine, send.id) is send
    assert sends.get(other, send.id) is None
    assert sends.get(mine, "other") is None
    sends.close()
    assert sends.get(mine, send.id) is None


async def test_one_more_than_there_may_be_ends_the_oldest() -> None:
    mine, sends, ended = session(), Sends(), asyncio.Event()

    async def first() -> None:
        try:
            await never()
        finally:
            ended.set()

    sent = [Send(mine) for _ in range(MOST_SENDS + 1)]
    sends.begin(sent[0], first())
    for send in sent[1:]:
        await asyncio.sleep(0)
        sends.begin(send, never())
    await asyncio.wait_for(ended.wait(), 5)
    await until(lambda: sent[0].done)
    assert [sends.get(mine, send.id) for send in sent] == [None, *sent[1:]]
    sends.close()


async def test_it_is_forgotten_a_while_after_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sends_module, "KEPT_SECONDS", 0.1)
    mine, sends = session(), Sends()
    send = Send(mine)
    sends.begin(send, asyncio.sleep(0))
    await until(lambda: send.done)
    assert sends.get(mine, send.id) is send
    await until(lambda: sends.get(mine, send.id) is None)
