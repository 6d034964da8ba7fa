"""Where letters and records wait, as a command takes them out: a file, or a queue of either.

A store gives what it holds in portions, and a portion leaves it only when it is told which of its letters are
in their stream. Whatever ends in between, all others are still there.
"""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from headgate import backoff
from headgate.overflow import dead_letters, letter_file, packs
from headgate.overflow.dead_letters import DeadLetter, QueueDeadLetters, letter
from headgate.overflow.queue import BATCH_ENTRIES, Message, Queue, QueueFault
from headgate.threads import in_thread

WAITING = "overflow_waiting"
"""The code of a record that waits in the overflow queue: nothing is wrong with it."""
UNREADABLE = "unreadable"
"""The code of a line or a message that is none of its store's kind."""
HIDDEN_SECONDS = 600
"""How long a message is hidden from others; renewed while it is held, so this passes only after a SIGKILL."""

_RECEIVE_WAIT = 1
_ATTEMPTS = 5
_LOOKS_AT_NEW = 3
"""Receives in a row of newer messages alone, after which no older one is looked for: SQS gives just some."""
_SLICE = 1_000
_SEND_WITHIN = 10.0


class Portion(Protocol):
    """Letters that leave their store together or in part."""

    @property
    def letters(self) -> Sequence[DeadLetter]:
        """What it holds."""

    @property
    def size(self) -> int:
        """How much of the store's total it is."""

    async def take_out(self, gone: Sequence[bool]) -> bool:
        """Take letters out of the store for good; return whether it is done.

        Args:
            gone: of each letter whether it is in its stream; one at least is. The others stay.

        Raises:
            OSError: a file cannot be written.
        """


class Store(Protocol):
    """Where letters are; a context manager, at whose end all that is still there is given back."""

    unit: str
    """What its total counts, in the plural."""

    async def total(self) -> int | None:
        """Return about how much it holds; None where it does not say."""

    def portions(self) -> AsyncIterator[Sequence[Portion]]:
        """Give what was there when this began, each portion once, a few at a time.

        Raises:
            QueueFault: the queue cannot be read.
        """

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            OSError: the file cannot be read.
        """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what is still there."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Some lines of a file."""

    path: Path
    lines: Sequence[bytes]
    letters: Sequence[DeadLetter]

    @property
    def size(self) -> int:
        return len(self.lines)

    async def take_out(self, gone: Sequence[bool]) -> bool:
        lines = list(itertools.compress(self.lines, gone))
        await in_thread(partial(letter_file.take_out, self.path, lines))
        return True


class FileStore:
    """A file of dead letters. A line that is none is a letter without an origin, so it stays.

    Args:
        path: the file.
        most: letters of a portion, after each of which the file is rewritten; None for as many as a pack has.
    """

    unit = "letters"

    def __init__(self, path: Path, most: int | None = None) -> None:
        self._path = path
        self._most = most or packs.MAX_RECORDS
        self._letters: list[tuple[bytes, DeadLetter]] = []

    async def __aenter__(self) -> Self:
        letters, torn = await in_thread(partial(letter_file.read, self._path))
        written = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        self._letters = letters + [
            (line, _unreadable(line, "the line is no letter", written)) for line in torn
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is hidden."""

    async def total(self) -> int:
        """Return how many letters it holds."""
        return len(self._letters)

    async def portions(self) -> AsyncIterator[Sequence[Portion]]:
        """Give what was there when it was opened."""
        for chunk in packs.chunks([len(each.data) for _, each in self._letters]):
            for start in range(chunk.start, chunk.stop, self._most):
                part = self._letters[start : min(start + self._most, chunk.stop)]
                yield [_Lines(self._path, [line for line, _ in part], [each for _, each in part])]


@dataclass(frozen=True, slots=True)
class Form:
    """What a queue's messages hold."""

    unpack: Callable[[Message], list[DeadLetter]]
    """Returns what a message holds.

    Raises:
        Unreadable: it holds nothing of the kind.
    """
    put: Callable[[Queue, Sequence[DeadLetter]], Awaitable[bool]]
    """Puts a part of one message as new ones; returns whether all of it is safe."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A message that is hidden from others."""

    store: "QueueStore"
    message: Message
    letters: Sequence[DeadLetter]
    size: int = 1

    async def take_out(self, gone: Sequence[bool]) -> bool:
        return await self.store.take_out(self, gone)


class QueueStore:
    """A queue of dead letters, or of what waits for Kinesis.

    A message that nobody can read is one letter without an origin, so it stays.

    Args:
        queue: the queue.
        form: what its messages hold.
        now: seconds since 1970.
        spread: random numbers from 0 to 1.
    """

    unit = "messages"

    def __init__(
        self,
        queue: Queue,
        form: Form,
        *,
        now: Callable[[], float] = time.time,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._queue = queue
        self._form = form
        self._now = now
        self._spread = spread
        self._receipts: dict[str, str] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        await self._hide(0)

    async def total(self) -> int | None:
        """Return about how many messages may be received."""
        return await self._queue.waiting()

    async def portions(self) -> AsyncIterator[Sequence[Portion]]:
        """Give what was there when this began.

        Raises:
            QueueFault: the queue cannot be read.
        """
        # What was put there since is for the next run, or this one might never end.
        begun = self._now()
        looks = 0
        while looks < _LOOKS_AT_NEW and (messages := await self._receive()):
            old = [each for each in messages if each.sent_at <= begun and each.id not in self._receipts]
            self._receipts |= {each.id: each.receipt for each in messages}
            looks = 0 if old else looks + 1
            if old:
                yield [_Held(self, each, self._unpack(each)) for each in old]

    async def take_out(self, held: _Held, gone: Sequence[bool]) -> bool:
        """Put what is left of a message into new ones, and only then delete it."""
        left = [each for each, is_gone in zip(held.letters, gone, strict=True) if not is_gone]
        if left and not await self._form.put(self._queue, left):
            return False
        if not all(await self._queue.delete([held.message.receipt])):
            return False
        del self._receipts[held.message.id]
        return True

    def _unpack(self, message: Message) -> list[DeadLetter]:
        try:
            return self._form.unpack(message)
        except packs.Unreadable as fault:
            return [_unreadable(message.body.encode(), str(fault), _sent(message))]

    async def _receive(self) -> list[Message]:
        failures = 0
        while True:
            try:
                return await self._queue.receive(BATCH_ENTRIES, wait=_RECEIVE_WAIT, hidden=HIDDEN_SECONDS)
            except QueueFault as fault:
                failures += 1
                if not fault.passing or failures == _ATTEMPTS:
                    raise
            await asyncio.sleep(backoff.seconds(failures, self._spread()))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(HIDDEN_SECONDS / 3)
            await self._hide(HIDDEN_SECONDS)

    async def _hide(self, seconds: int) -> None:
        receipts = list(self._receipts.values())
        for start in range(0, len(receipts), _SLICE):
            await self._queue.hide(receipts[start : start + _SLICE], seconds)


def _waiting_in(message: Message) -> list[DeadLetter]:
    origin, records = packs.unpack(message.body)
    why, sent = "it waits in the overflow queue", _sent(message)
    return [letter(origin, record, code=WAITING, message=why, time=sent) for record in records]


async def _put_waiting(queue: Queue, left: Sequence[DeadLetter]) -> bool:
    origin = left[0].origin
    assert origin is not None  # noqa: S101  # of a message that could be read, a part of which was sent
    limit = (await queue.attributes()).limit - packs.ROOM_FOR_REASON
    packed = packs.pack(origin, [(each.partition_key, each.data) for each in left], limit)
    sent = await queue.send([each.body for each in packed.packs], _SEND_WITHIN)
    return all(sent) and not packed.too_large


def _unreadable(data: bytes, why: str, time: datetime) -> DeadLetter:
    return letter(None, ("", data), code=UNREADABLE, message=why, time=time)


def _sent(message: Message) -> datetime:
    return datetime.fromtimestamp(message.sent_at, UTC)


LETTERS = Form(
    lambda message: dead_letters.unpack(message.body), lambda queue, left: QueueDeadLetters(queue).put(left)
)
"""Dead letters."""
RECORDS = Form(_waiting_in, _put_waiting)
"""What the forwarder spilled."""
