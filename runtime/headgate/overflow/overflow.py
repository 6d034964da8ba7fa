"""Spilling: what Kinesis does not take in time goes into the overflow queue, and only then is acknowledged.

Records of many requests are collected for a moment and share messages, because at a deadline all of a
destination's requests come at once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from headgate.delivery.target import Target
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.origin import Origin, origin_of
from headgate.overflow.packs import ROOM_FOR_REASON, pack
from headgate.overflow.queue import Queue
from headgate.threads import in_thread

log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
"""After so long without a spill of a destination, the next one is news."""


@dataclass(slots=True, eq=False)
class _Spill:
    """The records that one call brought, until SQS has all of them or one is given up."""

    records: Sequence[tuple[str, bytes]]
    size: int
    deadline: float
    told: Callable[[bool], None]
    failed: bool = False


class Overflow:
    """Puts records into the queue for one process.

    Args:
        queue: where to.
        metrics: where records are counted.
        linger: seconds for which records wait for company.
        spill_within: seconds after which a spill has failed.
        held_size: bytes of data and keys that may be under way.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        metrics: Metrics | None = None,
        linger: float = 0.05,
        spill_within: float = 2.0,
        held_size: int = 32 * 1024 * 1024,
    ) -> None:
        self._queue = queue
        self._metrics = metrics or Metrics()
        self._linger = linger
        self._spill_within = spill_within
        self._held_size = held_size
        self._held = 0
        self._waiting: dict[Origin, list[_Spill]] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._flights: set[asyncio.Task[None]] = set()
        self._last_spill: dict[str, float] = {}

    def refuses(self, size: int) -> bool:
        """Return whether so many bytes more are too many now."""
        return self._held + size > self._held_size

    def spill(
        self, target: Target, records: Sequence[tuple[str, bytes]], told: Callable[[bool], None]
    ) -> None:
        """Put records into the queue, if it `refuses` them not.

        Args:
            target: where they are bound for.
            records: partition key and data of each; one at least.
            told: called once, never before this returns: with True once SQS has said yes for every record;
                with False when it has not in time, or when one is too large for any message. Then some may be
                in the queue all the same, and arrive twice when they are sent again.
        """
        size = sum(len(data) + len(key) for key, data in records)
        deadline = self._loop.time() + self._spill_within
        self._held += size
        self._waiting.setdefault(origin_of(target), []).append(_Spill(records, size, deadline, told))
        if self._timer is None:
            self._timer = self._loop.call_later(self._linger, self._flush)

    async def close(self) -> None:
        """Send what still waits for company, and wait until all is told."""
        self._flush()
        while self._flights:
            await asyncio.wait(self._flights)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, {}
        for origin, spills in waiting.items():
            flight = self._loop.create_task(self._fly(origin, spills))
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _fly(self, origin: Origin, spills: list[_Spill]) -> None:
        self._say_that_it_spills(origin)
        try:
            await self._send(origin, spills, min(spill.deadline for spill in spills))
        except TimeoutError:
            _fail(spills)
        except Exception:  # a defect of ours is a queue that cannot be used: clients keep their events
            log.exception("a spill failed in a way nobody foresaw", extra={"destination": origin.name})
            _fail(spills)
        safe = [spill for spill in spills if not spill.failed]
        self._metrics.counter(names.SPILLED_RECORDS, origin.name).value += sum(
            len(spill.records) for spill in safe
        )
        if len(safe) < len(spills):
            log.error(
                "records could not be spilled, so their requests are not acknowledged",
                extra={"destination": origin.name, "requests": len(spills) - len(safe)},
            )
        for spill in spills:
            self._held -= spill.size
            spill.told(not spill.failed)

    async def _send(self, origin: Origin, spills: list[_Spill], deadline: float) -> None:
        owners = [spill for spill in spills for _ in spill.records]
        records = [record for spill in spills for record in spill.records]
        async with asyncio.timeout_at(deadline):
            limit = (await self._queue.attributes()).limit - ROOM_FOR_REASON
            packed = await in_thread(partial(pack, origin, records, limit))
        for index in packed.too_large:
            owners[index].failed = True
        # A request of which one record fits into no message is not acknowledged, so what is its alone stays.
        packs = [each for each in packed.packs if not all(owners[index].failed for index in each.items)]
        left = max(deadline - self._loop.time(), 0.0)
        for each, sent in zip(
            packs, await self._queue.send([each.body for each in packs], left), strict=True
        ):
            if not sent:
                _fail([owners[index] for index in each.items])

    def _say_that_it_spills(self, origin: Origin) -> None:
        now = self._loop.time()
        if now - self._last_spill.get(origin.name, float("-inf")) > QUIET_SECONDS:
            log.warning(
                "Kinesis does not take records in time, so they go to the overflow queue",
                extra={"destination": origin.name, "queue": self._queue.name},
            )
        self._last_spill[origin.name] = now


def _fail(spills: Sequence[_Spill]) -> None:
    for spill in spills:
        spill.failed = True
