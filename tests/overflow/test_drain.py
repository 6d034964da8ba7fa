"""Draining: a message is deleted only after Kinesis said yes for all of it; until then it comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow import drain
from headgate.overflow.dead_letters import EXPIRED, UNREADABLE, DeadLetter, QueueDeadLetters
from headgate.overflow.dead_letters import unpack as unpack_letters
from headgate.overflow.drain import Drainer
from headgate.overflow.origin import origin_of
from headgate.overflow.packs import pack
from headgate.overflow.queue import Queue
from tests.overflow.sqs import FailEntries, Refuse, Sqs, until

ONE = Target("src", "us-west-2", "one", "arn:aws:iam::111122223333:role/w", "a-secret-id", wire="cbor")
TWO = Target("src", "us-west-2", "two", None, "src")
DAY = 86_400.0
DELETE, HIDE = "DeleteMessageBatch", "ChangeMessageVisibilityBatch"


class Delivering:
    """A delivery that takes records and settles them when and as the test wants."""

    def __init__(self) -> None:
        self.paused: set[str] = set()
        self.full = False
        self.asked = 0
        self.at_once = True
        self.outcome: Callable[[Sequence[Data]], Outcome] = lambda _: Outcome()
        self.taken: list[tuple[Target, list[Data]]] = []
        self._open: list[Callable[[], None]] = []

    def accepting(self) -> bool:
        self.asked += 1
        return len(self.paused) < 2

    def accepts(self, target: Target) -> bool:
        return target.stream_name not in self.paused

    def drain(self, target: Target, data: Sequence[Data], on_settled: Callable[[Outcome], None]) -> None:
        if self.full:
            raise Refused(Refusal("destination_full", "full", 5))
        self.taken.append((target, list(data)))
        self._open.append(lambda: on_settled(self.outcome(data)))
        if self.at_once:
            self.settle()

    def settle(self) -> None:
        while self._open:
            self._open.pop()()

    @property
    def keys(self) -> list[str]:
        return [each.partition_key for _, data in self.taken for each in data]


class Draining:
    """A drainer at work, its two queues, and the world around it."""

    def __init__(self, sqs: Sqs, name: str, **options: Any) -> None:
        self.sqs = sqs
        self.metrics = Metrics()
        self.url = sqs.create_queue(name, MessageRetentionPeriod="1209600")
        self.dead_url = sqs.create_queue(f"{name}-dead")
        self.queue = Queue(sqs.session, self.url, self.metrics)
        self.delivery = Delivering()
        dead_letters = QueueDeadLetters(Queue(sqs.session, self.dead_url, self.metrics), self.metrics)
        self.drainer = Drainer(
            self.queue, dead_letters, self.delivery, lambda: {ONE, TWO}, metrics=self.metrics, **options
        )

    async def put(self, target: Target, *keys: str, data: bytes = b"{}") -> None:
        packed = pack(origin_of(target), [(key, data) for key in keys], 200_000)
        assert all(await self.queue.send([each.body for each in packed.packs], 5))

    def empty(self) -> bool:
        return self.sqs.counts(self.url) == (0, 0)

    def dead(self) -> list[DeadLetter]:
        return [letter for body in self.sqs.bodies(self.dead_url) for letter in unpack_letters(body)]

    def count(self, metric: names.Counter, destination: str | None = None) -> int:
        return self.metrics.counter(metric, destination).value

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.drainer.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await self.drainer.close(0)


async def test_what_was_spilled_is_delivered_to_where_it_was_bound_for_and_deleted(
    sqs: Sqs, name: str
) -> None:
    world = Draining(sqs, name)
    gone = Target("src", "eu-west-1", "old-stream", ONE.role_address, "whatever")
    await world.put(ONE, "a", "b")
    await world.put(TWO, "c")
    await world.put(gone, "d")
    async with world.running():
        await until(world.empty)
    by_target = {target: [each.partition_key for each in data] for target, data in world.delivery.taken}
    renamed = Target("src", "eu-west-1", "old-stream", ONE.role_address, "a-secret-id")
    assert by_target == {ONE: ["a", "b"], TWO: ["c"], renamed: ["d"]}
    assert world.count(names.DRAINED_RECORDS, ONE.name) == 2
    assert world.dead() == []


async def test_nothing_is_deleted_before_kinesis_has_said_yes_and_it_stays_hidden_till_then(
    one_sqs: Sqs, name: str
) -> None:
    world = Draining(one_sqs, name, hidden=3)
    world.delivery.at_once = False
    await world.put(ONE, "a")
    async with world.running():
        await until(lambda: world.delivery.taken)
        # Twice as long as it would stay hidden if nobody extended that.
        await until(lambda: len(one_sqs.proxy.calls_of(HIDE)) >= 6)
        assert one_sqs.proxy.calls_of(DELETE) == []
        assert one_sqs.counts(world.url) == (0, 1)
        world.delivery.settle()
        await until(world.empty)
    assert world.delivery.keys == ["a"]


async def test_a_message_comes_again_where_its_visibility_ran_out_because_sqs_could_not_extend_it(
    one_sqs: Sqs, name: str
) -> None:
    world = Draining(one_sqs, name, hidden=2)
    world.delivery.at_once = False
    one_sqs.proxy.always(HIDE, Refuse("AccessDenied"))
    await world.put(ONE, "a")
    async with world.running():
        await until(lambda: len(world.delivery.taken) == 2)
        world.delivery.settle()
        await until(world.empty)
    assert world.delivery.keys == ["a", "a"]


async def test_while_a_destination_is_paused_its_messages_are_given_back_and_others_are_delivered(
    one_sqs: Sqs, name: str
) -> None:
    world = Draining(one_sqs, name, spread=lambda: 1.0)
    world.delivery.paused = {"one"}
    await world.put(ONE, "a")
    await world.put(TWO, "b")
    async with world.running():
        await until(lambda: world.delivery.keys == ["b"] and one_sqs.proxy.calls_of(HIDE))
        [call] = one_sqs.proxy.calls_of(HIDE)
        assert [each["VisibilityTimeout"] for each in call.entries] == [5]
        world.delivery.paused = set()
        await until(world.empty)
    assert world.delivery.keys == ["b", "a"]


async def test_while_all_are_paused_hardly_anything_is_received(one_sqs: Sqs, name: str) -> None:
    world = Draining(one_sqs, name, spread=lambda: 0.0)
    world.delivery.paused = {"one", "two"}
    await world.put(ONE, "a")
    async with world.running():
        # One look for what is too old: the message, then nothing more.
        await until(lambda: len(one_sqs.proxy.calls_of("ReceiveMessage")) == 2)
        asked = world.delivery.asked
        await until(lambda: world.delivery.asked >= asked + 3)
        assert len(one_sqs.proxy.calls_of("ReceiveMessage")) == 2
        assert all(call.body["WaitTimeSeconds"] == 0 for call in one_sqs.proxy.calls_of("ReceiveMessage"))
        world.delivery.paused = set()
        await until(world.empty)
    assert world.delivery.keys == ["a"]


@pytest.mark.parametrize("how", ["full", "unavailable"])
async def test_what_is_refused_or_not_delivered_is_given_back_whole(
    one_sqs: Sqs, name: str, how: str
) -> None:
    world = Draining(one_sqs, name, spread=lambda: 0.0)
    world.delivery.full = how == "full"
    world.delivery.outcome = lambda _: Outcome(unavailable=Refusal("paused", "paused", 5))
    await world.put(ONE, "a")
    async with world.running():
        await until(lambda: one_sqs.proxy.calls_of(HIDE))
        assert one_sqs.proxy.calls_of(DELETE) == []
        world.delivery.full = False
        world.delivery.outcome = lambda _: Outcome()
        await until(world.empty)
    assert set(world.delivery.keys) == {"a"}
    assert world.count(names.DRAINED_RECORDS, ONE.name) == 1


async def test_a_record_that_kinesis_will_never_take_goes_to_the_dead_letters_alone(
    sqs: Sqs, name: str
) -> None:
    world = Draining(sqs, name)
    world.delivery.outcome = lambda data: Outcome(
        undeliverable={
            each.number: Refusal("undeliverable", "no good") for each in data if each.partition_key == "bad"
        }
    )
    await world.put(ONE, "a", "bad", "b")
    async with world.running():
        await until(world.empty)
    [letter] = world.dead()
    assert (letter.origin, letter.partition_key, letter.data) == (origin_of(ONE), "bad", b"{}")
    assert (letter.code, letter.message) == ("undeliverable", "no good")
    assert world.count(names.DRAINED_RECORDS, ONE.name) == 2
    assert world.count(names.DEAD_LETTERS) == 1


async def test_a_message_that_nobody_can_read_goes_to_the_dead_letters_as_it_is(sqs: Sqs, name: str) -> None:
    world = Draining(sqs, name)
    await world.queue.send(["what is this?"], 5)
    async with world.running():
        await until(world.empty)
    [letter] = world.dead()
    assert (letter.origin, letter.data, letter.code) == (None, b"what is this?", UNREADABLE)


@pytest.mark.parametrize("paused", [set(), {"one"}, {"one", "two"}], ids=len)
async def test_after_thirteen_days_a_message_moves_to_the_dead_letters_paused_or_not(
    sqs: Sqs, name: str, paused: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(drain, "_PATROL_SECONDS", 1)
    later = 0.0
    world = Draining(sqs, name, now=lambda: time.time() + later, spread=lambda: 0.0)
    world.delivery.paused = set(paused)
    world.delivery.full = True
    await world.put(ONE, "a", "b")
    later = 12.9 * DAY
    async with world.running():
        await until(lambda: sqs.proxy.calls_of(HIDE))
        assert sqs.proxy.calls_of(DELETE) == []
        assert sqs.counts(world.dead_url) == (0, 0)
        later = 13.01 * DAY
        await until(world.empty)
    letters = world.dead()
    assert [(each.origin, each.partition_key, each.code) for each in letters] == [
        (origin_of(ONE), "a", EXPIRED),
        (origin_of(ONE), "b", EXPIRED),
    ]
    assert letters[0].message == "it lay in the overflow queue for 13.0 days"
    assert world.delivery.taken == []


async def test_a_queue_that_keeps_messages_for_a_shorter_time_expires_them_sooner(
    one_sqs: Sqs, name: str
) -> None:
    later = 0.0
    world = Draining(one_sqs, name, now=lambda: time.time() + later)
    one_sqs.client.set_queue_attributes(
        QueueUrl=world.url, Attributes={"MessageRetentionPeriod": str(int(4 * DAY))}
    )
    await world.put(ONE, "a")
    later = 3.9 * DAY
    async with world.running():
        await until(world.empty)
    assert [each.code for each in world.dead()] == [EXPIRED]


async def test_what_the_dead_letters_do_not_take_stays_in_the_overflow_queue(one_sqs: Sqs, name: str) -> None:
    world = Draining(one_sqs, name, spread=lambda: 0.0)
    await world.queue.send(["what is this?"], 5)
    one_sqs.proxy.always("SendMessageBatch", FailEntries(10, "AccessDenied", sender_fault=True))
    async with world.running():
        await until(lambda: one_sqs.proxy.calls_of(HIDE))
        assert one_sqs.proxy.calls_of(DELETE) == []
        one_sqs.proxy.always("SendMessageBatch", None)
        await until(world.empty)
    assert [each.code for each in world.dead()] == [UNREADABLE]


async def test_no_more_is_held_than_may_be_so_that_what_comes_in_goes_first(one_sqs: Sqs, name: str) -> None:
    world = Draining(one_sqs, name, held_size=2 * 1024 * 1024)
    world.delivery.at_once = False
    for number in range(6):
        await world.put(ONE, str(number), data=bytes(700_000))
    async with world.running():
        await until(lambda: len(world.delivery.taken) == 2)
        world.delivery.settle()
        await until(lambda: len(world.delivery.taken) == 4)
        assert len(one_sqs.proxy.calls_of(DELETE)) <= 2
        world.delivery.at_once = True
        world.delivery.settle()
        await until(world.empty)
    assert sorted(world.delivery.keys) == list("012345")


async def test_a_queue_that_cannot_be_read_is_read_again(one_sqs: Sqs, name: str) -> None:
    world = Draining(one_sqs, name, spread=lambda: 0.0)
    one_sqs.proxy.trouble("ReceiveMessage", Refuse("ServiceUnavailable", 503), Refuse("AccessDenied"))
    one_sqs.proxy.trouble(DELETE, Refuse("RequestThrottled"), FailEntries(1))
    await world.put(ONE, "a")
    async with world.running():
        await until(world.empty)
    assert world.delivery.keys == ["a"]


async def test_at_its_end_what_is_held_is_settled_and_the_rest_given_back(one_sqs: Sqs, name: str) -> None:
    world = Draining(one_sqs, name)
    world.delivery.at_once = False
    await world.put(ONE, "a")
    await world.put(ONE, "b")
    async with world.running():
        await until(lambda: len(world.delivery.taken) == 2)
        world.delivery._open.pop()()
    assert len(one_sqs.bodies(world.url)) == 1


async def test_several_workers_share_a_queue(sqs: Sqs, name: str) -> None:
    world = Draining(sqs, name)
    others = [
        Drainer(Queue(sqs.session, world.url), world.drainer._dead_letters, world.delivery, lambda: {ONE})
        for _ in range(2)
    ]
    for number in range(12):
        await world.put(ONE, str(number))
    running = [asyncio.create_task(each.run()) for each in others]
    async with world.running():
        await until(world.empty)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert sorted(world.delivery.keys) == sorted(map(str, range(12)))
