"""The window, the pace and the patience of sending, in virtual time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pytest

from headgate.audiences import sending
from headgate.audiences.calls import Change
from headgate.audiences.ranges import Pairs, Ranges
from headgate.audiences.sending import WINDOW, Bounds, Sender
from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.errors import AwsError, BusyError
from tests.virtual_time import run

T = TypeVar("T")
TARGET = Target("s", "us-west-2", "events", None, "s")


class Kinesis:
    """Delivers everything after `seconds`; `refusal` refuses all."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds = seconds
        self.refusal: Refusal | None = None
        self.submitted: list[tuple[float, int]] = []
        """When, and how many calls."""
        self._loop = asyncio.get_running_loop()

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.submitted.append((self._loop.time(), len(portions[TARGET])))
        self._loop.call_later(self.seconds, on_settled, Outcome())


class Sending:
    """A sender, and what it saved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, save_seconds: float = 0.0, **bounds: Any) -> None:
        async def beside(call: Callable[[], T]) -> T:
            await asyncio.sleep(save_seconds)
            return call()

        monkeypatch.setattr(sending, "in_thread", beside)
        self.saved: Pairs = ()
        self.saves = 0
        self.kinesis = Kinesis()
        self.held = True
        self.most_unsaved = 0
        self.sender = Sender(
            self.kinesis,
            self._portions,
            self._save,
            self._check,
            Ranges(),
            Ranges(),
            Bounds(**bounds),
            lambda: 0.5,
        )

    async def send(self, count: int) -> float:
        """Send so many calls; return the seconds that it took."""
        changes: list[Change] = [(number, "userId", str(number), "true") for number in range(count)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.sender.send([changes[:7_000], changes[7_000:]] if count > 7_000 else [changes])
        return loop.time() - began

    def _portions(self, changes: Sequence[Change]) -> Mapping[Target, Sequence[Data]]:
        sent = sum(count for _, count in self.kinesis.submitted) + len(changes)
        saved = sum(end - start for start, end in self.saved)
        self.most_unsaved = max(self.most_unsaved, sent - saved)
        return {TARGET: [Data(user, b"", number) for number, _, user, _ in changes]}

    def _save(self, acknowledged: Pairs, undeliverable: Pairs) -> None:
        assert not undeliverable
        self.saved = acknowledged
        self.saves += 1

    def lose(self) -> None:
        self.held = False

    def _check(self) -> None:
        if not self.held:
            raise BusyError("lost")


def test_all_is_sent_and_saved_and_never_more_than_a_window_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, save_seconds=0.05)
        await one.send(10_000)
        assert one.saved == [(0, 10_000)]
        assert WINDOW / 2 < one.most_unsaved <= WINDOW

    run(main())


@pytest.mark.parametrize(("save_seconds", "at_least"), [(0.01, 15_000), (0.1, 5_000)])
def test_saving_runs_beside_sending(
    monkeypatch: pytest.MonkeyPatch, save_seconds: float, at_least: float
) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, save_seconds=save_seconds)
        assert 20_000 / await one.send(20_000) > at_least

    run(main())


def test_a_rate_is_kept_to_from_the_first_second_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, per_second=300.0)
        seconds = await one.send(3_000)
        assert seconds == pytest.approx(10, rel=0.05)
        began = one.kinesis.submitted[0][0]
        for second in range(10):
            within = (began + second, began + second + 1)
            sent = sum(count for at, count in one.kinesis.submitted if within[0] <= at < within[1])
            assert sent <= 300 * 1.15

    run(main())


def test_a_rate_of_less_than_one_a_second_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, per_second=0.5)
        assert await one.send(5) == pytest.approx(8, abs=0.1)

    run(main())


def test_a_call_that_is_refused_is_tried_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, within=30.0)
        one.kinesis.refusal = Refusal("paused", "the destination is paused", 5)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(
            AwsError, match=r"^calls could not be delivered for 30 s: the destination is paused$"
        ):
            await one.send(10)
        assert 30 <= loop.time() - began < 36

    run(main())


def test_a_short_outage_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, within=30.0)
        one.kinesis.refusal = Refusal("paused", "the destination is paused", 5)
        asyncio.get_running_loop().call_later(20, partial(setattr, one.kinesis, "refusal", None))
        await one.send(2_000)
        assert one.saved == [(0, 2_000)]
        assert one.sender.trouble is None

    run(main())


def test_what_was_acknowledged_is_saved_when_sending_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch, save_seconds=0.01)
        work = asyncio.create_task(one.send(100_000))
        await asyncio.sleep(0.5)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert one.saved == one.sender.acknowledged.pairs != ()

    run(main())


def test_who_has_lost_the_lock_sends_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one = Sending(monkeypatch)
        asyncio.get_running_loop().call_later(0.1, one.lose)
        with pytest.raises(BusyError):
            await one.send(100_000)
        last, _ = one.kinesis.submitted[-1]
        assert last - one.kinesis.submitted[0][0] < 0.11

    run(main())


def test_a_save_that_fails_ends_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(calls: int) -> None:
        one = Sending(monkeypatch)

        def fail(*_: Any) -> None:
            raise AwsError("S3 is down")

        one.sender._save = fail
        with pytest.raises(AwsError, match="S3 is down"):
            await one.send(calls)
        assert sum(count for _, count in one.kinesis.submitted) <= WINDOW

    for calls in (1, 10_000):
        run(main(calls))
