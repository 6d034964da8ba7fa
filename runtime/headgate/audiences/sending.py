"""The calls of one sync, sent through delivery: whenever it is killed, a window of them is repeated at most.

What is in flight, and what was acknowledged and is not saved yet, is the window. Saving runs beside sending:
the window waits for the disk or for S3, not each call.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from headgate import backoff
from headgate.audiences.ranges import Pairs, Ranges
from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.errors import AwsError
from headgate.threads import in_thread

if TYPE_CHECKING:
    from headgate.audiences.calls import Change

WINDOW = 1_000
"""Calls that a kill can make the next start repeat."""

Portions = Callable[[Sequence["Change"]], Mapping[Target, Sequence[Data]]]
Save = Callable[[Pairs, Pairs], None]


class Delivers(Protocol):
    """What is needed of `headgate.delivery.delivery.Delivery`."""

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        """Queue records, or raise Refused; say later, and once, what became of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How calls are sent."""

    window: int = WINDOW
    together: int = 50
    """Calls that are submitted at once. More cost less CPU, but all of them wait for the slowest shard."""
    per_second: float | None = None
    """Calls a second at most."""
    within: float = 300.0
    """Seconds after which a call that could not be delivered ends the sync."""


@dataclass(slots=True)
class _Portion:
    """Calls that are submitted together, until they are in."""

    calls: Sequence["Change"]
    since: float
    failures: int = 0


class Sender:
    """Sends calls, again and again until they are in, and has saved which of them are.

    Args:
        delivery: delivers.
        portions: makes the records of some calls, for each destination.
        save: saves durably which calls were acknowledged, and which never can be; it may block.
        check: raises BusyError where this process may not send any more.
        acknowledged: the numbers of the calls that were acknowledged before; those to come are added.
        undeliverable: of those that can never be delivered; likewise.
        bounds: how calls are sent.
        spread: random numbers from 0 to 1.
    """

    def __init__(
        self,
        delivery: Delivers,
        portions: Portions,
        save: Save,
        check: Callable[[], None],
        acknowledged: Ranges,
        undeliverable: Ranges,
        bounds: Bounds,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.acknowledged = acknowledged
        self.undeliverable = undeliverable
        self.reasons = Counter[str]()
        """Why calls can never be delivered: how many by code."""
        self.examples: dict[str, str] = {}
        """What was said of the first call of each code."""
        self.trouble: Refusal | None = None
        """Why calls have to be sent again; None once some are in."""
        self._delivery = delivery
        self._portions = portions
        self._save = save
        self._check = check
        self._bounds = bounds
        self._spread = spread
        self._in_flight = 0
        self._unsaved = 0
        self._over = False
        self._failed: Exception | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._free_at = self._loop.time()

    async def send(self, changes: Iterable[Sequence["Change"]]) -> None:
        """Send all calls that are not settled, and return once it is saved that all are.

        Raises:
            AwsError: a call could not be delivered in time. What was is saved.
            BusyError: this process may not send any more.
        """
        settled = Ranges([*self.acknowledged.pairs, *self.undeliverable.pairs])
        saving = asyncio.create_task(self._keep_saving())
        try:
            for batch in changes:
                if batch[0][0] < settled.end:
                    await self._send_all([each for each in batch if each[0] not in settled])
                else:
                    await self._send_all(batch)
            while self._in_flight:
                await self._change()
        finally:
            self._over = True
            self._news.set()
            await saving
        if self._failed is not None:
            raise self._failed

    async def _send_all(self, changes: Sequence["Change"]) -> None:
        together = min(self._bounds.together, self._bounds.window)
        if self._bounds.per_second is not None:
            together = min(together, max(int(self._bounds.per_second / 10), 1))
        for begin in range(0, len(changes), together):
            calls = changes[begin : begin + together]
            while self._in_flight + self._unsaved + len(calls) > self._bounds.window:
                await self._change()
            await self._pace(len(calls))
            self._in_flight += len(calls)
            self._submit(_Portion(calls, self._loop.time()))

    async def _pace(self, calls: int) -> None:
        if self._bounds.per_second is None:
            return
        if (wait := self._free_at - self._loop.time()) > 0:
            await asyncio.sleep(wait)
        # What a slow save or a throttled shard held up is caught up with for a moment only.
        self._free_at = max(self._free_at, self._loop.time() - 0.1) + calls / self._bounds.per_second

    def _submit(self, portion: _Portion) -> None:
        """Submit calls that are counted among those in flight."""
        if self._over:
            return
        try:
            self._check()
            self._delivery.submit(self._portions(portion.calls), partial(self._settled, portion))
        except Refused as refused:
            self._again(portion, refused.refusal)
        except Exception as error:
            self._fail(error)

    def _settled(self, portion: _Portion, outcome: Outcome) -> None:
        if outcome.unavailable is not None:
            self._again(portion, outcome.unavailable)
            return
        self.trouble = None
        numbers = [each[0] for each in portion.calls if each[0] not in outcome.undeliverable]
        for start, end in _runs(numbers):
            self.acknowledged.add(start, end)
        for number, why in outcome.undeliverable.items():
            self.undeliverable.add(number, number + 1)
            self.reasons[why.code] += 1
            self.examples.setdefault(why.code, why.message)
        self._in_flight -= len(portion.calls)
        self._unsaved += len(portion.calls)
        self._news.set()

    def _again(self, portion: _Portion, why: Refusal) -> None:
        self.trouble = why
        if self._loop.time() - portion.since >= self._bounds.within:
            self._fail(AwsError(f"calls could not be delivered for {self._bounds.within:g} s: {why.message}"))
            return
        portion.failures += 1
        self._loop.call_later(backoff.seconds(portion.failures, self._spread()), self._submit, portion)

    def _fail(self, error: Exception) -> None:
        self._failed = self._failed or error
        self._news.set()

    async def _change(self) -> None:
        """Wait until something is acknowledged or saved."""
        if self._failed is not None:
            raise self._failed
        await self._news.wait()
        self._news.clear()

    async def _keep_saving(self) -> None:
        """Save what was acknowledged, one save after the other, until the end."""
        try:
            while not self._over or self._unsaved:
                if not self._is_worth_saving():
                    await self._news.wait()
                    self._news.clear()
                    continue
                saved = self._unsaved
                await in_thread(partial(self._save, self.acknowledged.pairs, self.undeliverable.pairs))
                self._unsaved -= saved
                self._news.set()
        except Exception as error:
            self._fail(error)

    def _is_worth_saving(self) -> bool:
        if not self._unsaved:
            return False
        return self._over or not self._in_flight or self._unsaved >= self._bounds.window // 2


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield ascending numbers as ranges."""
    begin = 0
    while begin < len(numbers):
        # As a rule they are one.
        past = len(numbers)
        while numbers[past - 1] - numbers[begin] != past - 1 - begin:
            past -= 1
        yield numbers[begin], numbers[past - 1] + 1
        begin = past
