"""Sending again: evenly where that is asked for, nothing after a stop, a broken destination only once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.pace import Pace
from headgate.overflow.redrive import Sender, Tally
from tests import virtual_time
from tests.overflow.letters import EVENTS, OTHERS, a_letter

BROKEN = Refusal("ResourceNotFoundException", "there is no such stream")


class Delivering:
    """A delivery that answers after half a second."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.submitted: list[tuple[float, str, int]] = []

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        [(target, data)] = portions.items()
        loop = asyncio.get_running_loop()
        self.submitted.append((loop.time(), target.stream_name, len(data)))
        outcome = Outcome(BROKEN if target.stream_name in self.broken else None)
        loop.call_later(0.5, on_settled, outcome)


def letters(number: int) -> list[DeadLetter]:
    return [a_letter(key=str(index)) for index in range(number)]


def test_a_pace_is_kept_evenly_over_messages_and_waits_for_no_answer() -> None:
    delivery, tally = Delivering(), Tally()

    async def work() -> None:
        sender = Sender(delivery, (), tally, asyncio.Event(), Pace(40))
        await asyncio.gather(*(sender.send(letters(10)) for _ in range(4)))

    virtual_time.run(work())
    begun = delivery.submitted[0][0]
    assert tally.sent == 40
    assert [records for _, _, records in delivery.submitted] == [4, 4, 2] * 4
    instants = [at - begun for at, _, _ in delivery.submitted]
    assert instants == pytest.approx(
        [second + at for second in (0, 0.25, 0.5, 0.75) for at in (0, 0.1, 0.2)], abs=0.02
    )


def test_after_a_stop_nothing_is_sent_and_what_is_under_way_is_waited_for() -> None:
    delivery, tally = Delivering(), Tally()

    async def work() -> tuple[list[bool], float]:
        stop = asyncio.Event()
        sender = Sender(delivery, (), tally, stop, Pace(10))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        loop.call_later(0.25, stop.set)
        return await sender.send(letters(10)), loop.time() - begun

    sent, seconds = virtual_time.run(work())
    assert sent == [True] * 3 + [False] * 7
    assert (tally.sent, tally.kept.total()) == (3, 0)
    assert round(seconds, 1) == 0.7


def test_a_destination_that_cannot_be_delivered_to_is_tried_once_and_delays_no_other() -> None:
    delivery, tally = Delivering(), Tally()
    delivery.broken.add("others")

    async def work() -> list[list[bool]]:
        sender = Sender(delivery, (), tally, asyncio.Event())
        return [await sender.send([a_letter(OTHERS), a_letter(EVENTS)]) for _ in range(3)]

    assert virtual_time.run(work()) == [[False, True]] * 3
    assert [stream for _, stream, _ in delivery.submitted] == ["others", "events", "events", "events"]
    assert tally.kept == {("another/others", BROKEN.code, BROKEN.message): 3}


def test_what_nobody_can_read_is_counted_and_not_sent() -> None:
    delivery, tally = Delivering(), Tally()

    async def work() -> list[bool]:
        return await Sender(delivery, (), tally, asyncio.Event()).send([a_letter(None), a_letter()])

    assert virtual_time.run(work()) == [False, True]
    assert (tally.sent, tally.unreadable, tally.kept.total()) == (1, 1, 0)
