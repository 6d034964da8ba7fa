"""Sending letters again, and taking out of their store those that Kinesis took.

A letter is tried once in a run. It leaves its store only after Kinesis said yes, so of a run that ends in
between some are sent twice by the next, and none is lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin, resolve
from headgate.overflow.pace import Pace
from headgate.overflow.selection import Asked
from headgate.overflow.stores import Portion, Store


@dataclass(slots=True)
class Tally:
    """What came of a run."""

    sent: int = 0
    unreadable: int = 0
    """Letters, and lines and messages that are none, that say of no record where it was bound for."""
    kept: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Letters that are still there because they are not in, by destination, code and reason."""
    stuck: int = 0
    """Letters that are in, and yet could not be taken out of their store."""


class Submitting(Protocol):
    """What delivery is to a sender."""

    def submit(self, portions: dict[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]) -> None:
        """Queue records, and tell once what became of them.

        Raises:
            Refused: the destination is paused or full; nothing is queued.
        """


class _Submitted(NamedTuple):
    origin: Origin
    indices: Sequence[int]
    outcome: asyncio.Future[Outcome]


class Sender:
    """Sends letters through a delivery, and counts what came of them.

    Args:
        delivery: delivers.
        targets: those of the settings in force.
        tally: where it counts.
        stop: once it is set, nothing more is sent.
        pace: when what may be sent; None for as fast as the streams take it.
    """

    def __init__(
        self,
        delivery: Submitting,
        targets: Collection[Target],
        tally: Tally,
        stop: asyncio.Event,
        pace: Pace | None = None,
    ) -> None:
        self.tally = tally
        self._delivery = delivery
        self._targets = targets
        self._stop = stop
        self._pace = pace
        self._clock = asyncio.get_running_loop().time
        # One portion's letters after the other's: of those that are sent in part there is one at most.
        self._turn = asyncio.Lock()
        # A destination that could not be delivered to is not tried again: each try takes its time.
        self._given_up: dict[Origin, Refusal] = {}

    async def send(self, letters: Sequence[DeadLetter]) -> list[bool]:
        """Return of each letter whether Kinesis took it."""
        readable = [index for index, each in enumerate(letters) if each.origin is not None]
        self.tally.unreadable += len(letters) - len(readable)
        submitted: list[_Submitted] = []
        async with self._turn:
            step = self._pace.portion if self._pace is not None else len(readable) or 1
            for start in range(0, len(readable), step):
                part = readable[start : start + step]
                await self._wait_for(len(part))
                if self._stop.is_set():
                    break
                submitted += self._submit(letters, part)
        sent = [False] * len(letters)
        for origin, indices, told in submitted:
            outcome = await told
            for index in indices:
                why = outcome.unavailable or outcome.undeliverable.get(index)
                sent[index] = why is None
                if why is not None:
                    self.tally.kept[origin.name, why.code, why.message] += 1
        self.tally.sent += sum(sent)
        return sent

    async def _wait_for(self, records: int) -> None:
        if self._pace is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.wait(records, self._clock())):
                await self._stop.wait()

    def _submit(self, letters: Sequence[DeadLetter], part: Sequence[int]) -> list[_Submitted]:
        of_origin: dict[Origin, list[int]] = {}
        for index in part:
            origin = letters[index].origin
            if origin is not None:
                of_origin.setdefault(origin, []).append(index)
        return [
            _Submitted(origin, indices, self._outcome(origin, [(i, letters[i]) for i in indices]))
            for origin, indices in of_origin.items()
        ]

    def _outcome(self, origin: Origin, letters: Sequence[tuple[int, DeadLetter]]) -> asyncio.Future[Outcome]:
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settled(outcome: Outcome) -> None:
            if outcome.unavailable is not None:
                self._given_up[origin] = outcome.unavailable
            told.set_result(outcome)

        if origin in self._given_up:
            told.set_result(Outcome(self._given_up[origin]))
            return told
        data = [Data(each.partition_key, each.data, index) for index, each in letters]
        try:
            self._delivery.submit({resolve(origin, self._targets): data}, settled)
        except Refused as refused:
            settled(Outcome(refused.refusal))
        return told


class _Chosen:
    """The letters that are asked for, no more of them than that."""

    def __init__(self, selection: Asked, most: int | None) -> None:
        self._selection = selection
        self._left = most

    @property
    def enough(self) -> bool:
        return self._left == 0

    def of(self, letters: Sequence[DeadLetter]) -> list[int]:
        """Return which of some letters are asked for, by their indices."""
        chosen = [index for index, each in enumerate(letters) if self._selection.fits(each)][: self._left]
        if self._left is not None:
            self._left -= len(chosen)
        return chosen


async def redrive(
    store: Store,
    sender: Sender,
    selection: Asked,
    stop: asyncio.Event,
    *,
    most: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send the letters of a store that are asked for, and take out of it those that are in.

    Args:
        store: where they are.
        sender: sends them.
        selection: which are asked for.
        stop: once it is set, no further portion is begun.
        most: how many letters are tried; None for all.
        progress: told how much of the store was seen, portion by portion.

    Raises:
        OSError: a file cannot be read or written.
        QueueFault: a queue cannot be read.
    """
    chosen = _Chosen(selection, most)

    async def one(portion: Portion) -> None:
        indices = chosen.of(portion.letters)
        sent = await sender.send([portion.letters[index] for index in indices])
        gone = [False] * len(portion.letters)
        for index, is_in in zip(indices, sent, strict=True):
            gone[index] = is_in
        if any(gone) and not await portion.take_out(gone):
            sender.tally.stuck += sum(gone)
        progress(portion.size)

    async for portions in store.portions():
        await asyncio.gather(*map(one, portions))
        if stop.is_set() or chosen.enough:
            return


async def look(
    store: Store,
    selection: Asked,
    stop: asyncio.Event,
    *,
    most: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[DeadLetter]:
    """Give the letters of a store that are asked for; all of them stay in it.

    Its arguments and errors are those of `redrive`.
    """
    chosen = _Chosen(selection, most)
    async for portions in store.portions():
        for portion in portions:
            for index in chosen.of(portion.letters):
                yield portion.letters[index]
            progress(portion.size)
        await asyncio.sleep(0)  # a file gives its letters without a pause; others may be waiting
        if stop.is_set() or chosen.enough:
            return
