"""Sending dead letters again, and taking out of their store those that Kinesis took.

A letter is tried once in a run. It leaves its store only after Kinesis said yes, so of a run that ends in
between some are sent twice by the next, and none is lost.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.errors import AwsError
from headgate.overflow import letter_file
from headgate.overflow.dead_letters import DeadLetter, QueueDeadLetters, unpack
from headgate.overflow.origin import Origin, resolve
from headgate.overflow.packs import Unreadable, chunks
from headgate.overflow.queue import BATCH_ENTRIES, Message, Queue, QueueFault
from headgate.threads import in_thread

HIDDEN_SECONDS = 3_600
"""How long a queue's letters are hidden from other runs; those that are kept are given back at the end."""


@dataclass(slots=True)
class Tally:
    """What came of a run."""

    sent: int = 0
    unreadable: int = 0
    """Lines, messages and letters that say of no record where it was bound for."""
    kept: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Letters that are still there, by destination, code and reason."""


class Sender:
    """Sends letters through a delivery, and counts what came of them.

    Args:
        delivery: delivers.
        targets: those of the settings in force.
    """

    def __init__(self, delivery: Delivery, targets: Collection[Target]) -> None:
        self.tally = Tally()
        self._delivery = delivery
        self._targets = targets
        # A destination that could not be delivered to is not tried again: each try takes its time.
        self._given_up: dict[Origin, Refusal] = {}

    async def send(self, letters: Sequence[DeadLetter]) -> list[bool]:
        """Return of each letter whether Kinesis took it."""
        of_origin: dict[Origin, list[int]] = {}
        for index, each in enumerate(letters):
            if each.origin is None:
                self.tally.unreadable += 1
            else:
                of_origin.setdefault(each.origin, []).append(index)
        sent = [False] * len(letters)
        outcomes = await asyncio.gather(
            *(self._outcome(origin, [(i, letters[i]) for i in mine]) for origin, mine in of_origin.items())
        )
        for (origin, mine), outcome in zip(of_origin.items(), outcomes, strict=True):
            for index in mine:
                why = outcome.unavailable or outcome.undeliverable.get(index)
                sent[index] = why is None
                if why is not None:
                    self.tally.kept[origin.name, why.code, why.message] += 1
        self.tally.sent += sum(sent)
        return sent

    async def _outcome(self, origin: Origin, letters: Sequence[tuple[int, DeadLetter]]) -> Outcome:
        if origin in self._given_up:
            return Outcome(self._given_up[origin])
        settled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        data = [Data(each.partition_key, each.data, index) for index, each in letters]
        try:
            self._delivery.submit({resolve(origin, self._targets): data}, settled.set_result)
            outcome = await settled
        except Refused as refused:
            outcome = Outcome(refused.refusal)
        if outcome.unavailable is not None:
            self._given_up[origin] = outcome.unavailable
        return outcome


async def redrive_file(path: Path, sender: Sender) -> None:
    """Send the letters of a file again, and take out of it those that are in.

    Raises:
        OSError: the file cannot be read or written.
    """
    letters, sender.tally.unreadable = letter_file.read(path)
    for portion in chunks([len(each.data) for _, each in letters]):
        part = [letters[index] for index in portion]
        sent = await sender.send([each for _, each in part])
        gone = [line for (line, _), is_in in zip(part, sent, strict=True) if is_in]
        if gone:
            await in_thread(partial(letter_file.take_out, path, gone))


async def redrive_queue(queue: Queue, sender: Sender) -> None:
    """Send the letters of a queue again, delete those that are in, and give the others back.

    Raises:
        AwsError: the queue cannot be read.
    """
    begun = time.time()
    kept: list[str] = []
    try:
        while messages := await queue.receive(BATCH_ENTRIES, wait=2, hidden=HIDDEN_SECONDS):
            # What was put there since is for the next run, or this one might never end.
            old = [each for each in messages if each.sent_at <= begun]
            kept += [each.receipt for each in messages if each.sent_at > begun]
            if not old:
                break
            done = await asyncio.gather(*(_redrive_message(queue, each, sender) for each in old))
            kept += [each.receipt for each, gone in zip(old, done, strict=True) if not gone]
    except QueueFault as fault:
        raise AwsError(f"the queue {queue.name!r} cannot be read: {fault}") from None
    finally:
        await queue.hide(kept, 0)


async def _redrive_message(queue: Queue, message: Message, sender: Sender) -> bool:
    """Return whether the message is deleted: all of it is in, or what is not is in a new message."""
    try:
        letters = unpack(message.body)
    except Unreadable:
        sender.tally.unreadable += 1
        return False
    sent = await sender.send(letters)
    left = [each for each, is_in in zip(letters, sent, strict=True) if not is_in]
    if len(left) == len(letters):
        return False
    if left and not await QueueDeadLetters(queue).put(left):
        return False
    return all(await queue.delete([message.receipt]))
