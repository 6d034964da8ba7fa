"""Burying: what delivery knows can never be delivered goes to the dead letters."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from headgate.delivery.refuge import Told
from headgate.delivery.submission import Refusal
from headgate.delivery.target import Target
from headgate.overflow.dead_letters import DeadLetters, letter
from headgate.overflow.origin import origin_of

log = logging.getLogger(__name__)


class Burial:
    """The dead letters as delivery knows them.

    Args:
        letters: the store.
        now: the time, in UTC.
    """

    def __init__(self, letters: DeadLetters, now: Callable[[], datetime]) -> None:
        self._letters = letters
        self._now = now
        self._under_way: set[asyncio.Task[None]] = set()

    def bury(self, target: Target, record: tuple[str, bytes], why: Refusal, told: Told) -> None:
        """Keep a record, partition key and data, with the reason; tell later whether it is safe."""
        task = asyncio.create_task(self._bury(target, record, why, told))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _bury(self, target: Target, record: tuple[str, bytes], why: Refusal, told: Told) -> None:
        safe = False
        said = {"destination": target.name, "code": why.code}
        try:
            safe = await self._letters.put(
                [letter(origin_of(target), record, code=why.code, message=why.message, time=self._now())]
            )
        except Exception:  # whatever is wrong with the store, the client keeps its event
            log.exception("a record could not be buried in a way nobody foresaw", extra=said)
        if safe:
            log.error("a record went to the dead letters", extra=said)
        else:
            log.error("the dead letters do not take a record", extra=said)
        told(safe)
