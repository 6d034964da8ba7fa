"""Draining: what waits in the overflow queue goes through the same lanes as what comes in.

A message is hidden from other workers while it is held here, and deleted only after Kinesis has said yes for
all of it. Whatever ends in between, the message comes back: a record may arrive twice but is never lost.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Protocol

from headgate import backoff
from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.dead_letters import EXPIRED, UNREADABLE, DeadLetter, DeadLetters, letter
from headgate.overflow.origin import Origin, resolve
from headgate.overflow.packs import PACK_SIZE, Unreadable, unpack
from headgate.overflow.queue import (
    BATCH_ENTRIES,
    LONGEST_POLL_SECONDS,
    RETENTION_SECONDS,
    Message,
    Queue,
    QueueFault,
)

log = logging.getLogger(__name__)

EXPIRES_AFTER = 13 / 14
"""Share of the queue's retention after which a message moves to the dead letters: 13 of SQS' 14 days."""
_AGING = 12 / 14
_PATROL_SECONDS = 60
_FIRST_BACK, _LONGEST_BACK = 5.0, 300.0


class Deliverer(Protocol):
    """What delivery is to the drainer."""

    def accepting(self) -> bool:
        """Whether any destination may accept puts: False only while all are paused."""
        ...

    def accepts(self, target: Target) -> bool:
        """Whether the destination may accept puts: False while it is paused and no probe is due."""
        ...

    def drain(self, target: Target, data: Sequence[Data], on_settled: Callable[[Outcome], None]) -> None:
        """Queue records that have no deadline and are never spilled.

        Raises:
            Refused: the destination is paused or full; nothing is queued.
        """
        ...


class Drainer:
    """Drains the overflow queue in one process; several hide from each other what they hold.

    Args:
        queue: the overflow queue.
        dead_letters: for what Kinesis will never take, what nobody can read, and what is too old.
        delivery: delivers the records.
        targets: returns the targets of the settings in force.
        metrics: where records are counted.
        held_size: bytes of data and keys held at a time. It is small, so that what comes in goes first.
        hidden: seconds for which a message is hidden, again and again while it is held.
        now: seconds since 1970.
        spread: random numbers from 0 to 1.
    """

    def __init__(
        self,
        queue: Queue,
        dead_letters: DeadLetters,
        delivery: Deliverer,
        targets: Callable[[], Collection[Target]],
        *,
        metrics: Metrics | None = None,
        held_size: int = 4 * 1024 * 1024,
        hidden: int = 60,
        now: Callable[[], float] = time.time,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._delivery = delivery
        self._targets = targets
        self._metrics = metrics or Metrics()
        self._held_size = held_size
        self._hidden = hidden
        self._now = now
        self._spread = spread
        self._expires_after = RETENTION_SECONDS * EXPIRES_AFTER
        self._held = 0
        self._freed = asyncio.Event()
        self._handling: dict[asyncio.Task[None], Message] = {}
        self._drained = 0
        self._warned = False

    async def run(self) -> None:
        """Drain until cancelled; `close` then sees to what is held."""
        failures = 0
        while True:
            try:
                await self._look_at_the_queue()
                if self._delivery.accepting():
                    await self._receive(LONGEST_POLL_SECONDS)
                else:
                    await self._patrol()
                failures = 0
            except QueueFault as fault:
                failures += 1
                said = {"queue": self._queue.name, "code": fault.code, "reason": fault.message}
                log.warning("the overflow queue cannot be read", extra=said)
                await asyncio.sleep(backoff.seconds(failures, self._spread(), first=1, longest=60))

    async def close(self, within: float) -> None:
        """Wait so many seconds for what is held to be settled, and give the rest back."""
        if self._handling:
            await asyncio.wait(self._handling, timeout=within)
        left = dict(self._handling)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._queue.hide([message.receipt for message in left.values()], 0)

    async def _look_at_the_queue(self) -> None:
        attributes = await self._queue.attributes()
        self._expires_after = attributes.retention * EXPIRES_AFTER
        if attributes.redrives and not self._warned:
            said = {"queue": self._queue.name}
            log.warning("the overflow queue has a RedrivePolicy, which an outage would trigger", extra=said)
        self._warned = attributes.redrives

    async def _patrol(self) -> None:
        """While nothing is delivered, look once a minute for messages that grow too old to stay.

        SQS gives some messages, not the oldest, so where one is nearly too old the look goes on until three
        in a row found none.
        """
        looks = 0
        while looks < 3 and (messages := await self._receive(0)):
            aging = self._expires_after * _AGING / EXPIRES_AFTER
            looks = 0 if any(self._age(each) > aging for each in messages) else looks + 1
        for _ in range(_PATROL_SECONDS):
            if self._delivery.accepting():
                return
            await asyncio.sleep(1)

    async def _receive(self, wait: int) -> list[Message]:
        while self._held and self._held > self._held_size - PACK_SIZE:
            self._freed.clear()
            await self._freed.wait()
        room = max((self._held_size - self._held) // PACK_SIZE, 1)
        messages = await self._queue.receive(min(room, BATCH_ENTRIES), wait=wait, hidden=self._hidden)
        for message in messages:
            self._take(message)
        if not messages and not self._handling and self._drained:
            said = {"queue": self._queue.name, "records": self._drained}
            log.info("all that the overflow queue gave is in", extra=said)
            self._drained = 0
        return messages

    def _take(self, message: Message) -> None:
        try:
            origin, records = unpack(message.body)
        except Unreadable as fault:
            unreadable = self._letter(None, ("", message.body.encode()), UNREADABLE, str(fault))
            self._handle(message, len(message.body), self._bury(message, [unreadable]))
            return
        size = sum(len(data) + len(key) for key, data in records)
        if self._age(message) > self._expires_after:
            why = f"it lay in the overflow queue for {self._age(message) / 86_400:.1f} days"
            letters = [self._letter(origin, record, EXPIRED, why) for record in records]
            self._handle(message, size, self._bury(message, letters))
        else:
            self._handle(message, size, self._deliver(message, origin, records))

    def _handle(self, message: Message, size: int, work: Coroutine[None, None, None]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._held -= size
            self._freed.set()
            del self._handling[task]
            if not task.cancelled() and (error := task.exception()) is not None:
                # A defect of ours: the message comes back when it is no longer hidden.
                log.error("a message could not be drained in a way nobody foresaw", exc_info=error)

        self._held += size
        task = asyncio.create_task(work)
        self._handling[task] = message
        task.add_done_callback(ended)

    async def _deliver(self, message: Message, origin: Origin, records: list[tuple[str, bytes]]) -> None:
        target = resolve(origin, self._targets())
        if not self._delivery.accepts(target):
            await self._give_back(message)
            return
        try:
            outcome = await self._settled(message, target, records)
        except Refused:
            await self._give_back(message)
            return
        if outcome.unavailable is not None:
            await self._give_back(message)
            return
        drained = len(records) - len(outcome.undeliverable)
        self._drained += drained
        self._metrics.counter(names.DRAINED_RECORDS, target.name).value += drained
        if outcome.undeliverable:
            letters = [
                self._letter(origin, records[index], why.code, why.message)
                for index, why in outcome.undeliverable.items()
            ]
            await self._bury(message, letters)
        else:
            await self._queue.delete([message.receipt])

    async def _settled(self, message: Message, target: Target, records: list[tuple[str, bytes]]) -> Outcome:
        settled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def on_settled(outcome: Outcome) -> None:
            if not settled.done():
                settled.set_result(outcome)

        data = [Data(key, content, number) for number, (key, content) in enumerate(records)]
        self._delivery.drain(target, data, on_settled)
        while not (await asyncio.wait([settled], timeout=self._hidden / 3))[0]:
            await self._queue.hide([message.receipt], self._hidden)
        return settled.result()

    async def _bury(self, message: Message, letters: Sequence[DeadLetter]) -> None:
        """Put letters where they are kept, and only then delete their message."""
        said = {"queue": self._queue.name, "code": letters[0].code, "records": len(letters)}
        if letters[0].origin is not None:
            said["destination"] = letters[0].origin.name
        if await self._dead_letters.put(letters):
            log.error("records went from the overflow queue to the dead letters", extra=said)
            await self._queue.delete([message.receipt])
        else:
            log.error("records are due for the dead letters, which do not take them", extra=said)
            await self._give_back(message)

    async def _give_back(self, message: Message) -> None:
        """Let others have the message after a while: the longer, the more often it was received."""
        seconds = backoff.seconds(message.receives, self._spread(), first=_FIRST_BACK, longest=_LONGEST_BACK)
        await self._queue.hide([message.receipt], round(seconds))

    def _letter(self, origin: Origin | None, record: tuple[str, bytes], code: str, why: str) -> DeadLetter:
        time_ = datetime.fromtimestamp(self._now(), UTC)
        return letter(origin, record, code=code, message=why, time=time_)

    def _age(self, message: Message) -> float:
        return self._now() - message.sent_at
