"""Whatever is asked for, fails or ends it: a letter is in its stream or still in its store."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.overflow import dead_letters, letter_file, packs
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.pace import Pace
from headgate.overflow.queue import BATCH_ENTRIES, Attributes, Message, Queue
from headgate.overflow.redrive import Sender, Tally, redrive
from headgate.overflow.selection import Selection
from headgate.overflow.stores import LETTERS, RECORDS, FileStore, QueueStore, Store
from tests import virtual_time
from tests.overflow.letters import EVENTS, OTHERS, TIME, a_letter

CODES = ("too_large", "undeliverable")
WHY = Refusal("no", "as the test wants")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A queue, the streams, and what goes wrong with them."""

    chance: random.Random
    steps: float = float("inf")
    """How many more times something outside of the process happens before it is gone."""
    trouble: float = 0.0
    """How probable it is that a call fails."""
    limit: int = 200_000
    latency: float = 1.0
    now: float = 0.0
    messages: dict[str, tuple[str, float]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    in_stream: Counter[str] = field(default_factory=Counter)
    in_hand: set[str] = field(default_factory=set)
    """Messages that were given since the last receive."""
    on_step: Callable[[], None] = lambda: None
    stopped: Callable[[], bool] = lambda: False
    _numbers: Any = field(default_factory=itertools.count)

    def step(self) -> None:
        self.on_step()
        if self.steps <= 0:
            raise Killed
        self.steps -= 1

    def fails(self) -> bool:
        return self.chance.random() < self.trouble

    def put(self, body: str) -> None:
        self.messages[f"id-{next(self._numbers)}"] = body, self.now

    # The queue.

    async def attributes(self) -> Attributes:
        return Attributes(limit=self.limit)

    async def receive(self, most: int, **_: Any) -> list[Message]:
        self.step()
        there = [each for each in self.messages if each not in self.hidden]
        given = self.chance.sample(there, min(len(there), self.chance.randint(1, most)))
        self.hidden |= set(given)
        self.in_hand = set(given)
        self.step()
        return [Message(each, self.messages[each][0], each, 1, self.messages[each][1]) for each in given]

    async def send(self, bodies: Sequence[str], _within: float) -> list[bool]:
        sent = []
        for body in bodies:
            self.step()
            sent.append(not self.fails())
            if sent[-1] or self.fails():  # it may have arrived all the same
                self.put(body)
        self.step()
        return sent

    async def delete(self, receipts: Sequence[str]) -> list[bool]:
        self.step()
        gone = [not self.fails() for _ in receipts]
        for receipt in itertools.compress(receipts, gone):
            self.messages.pop(receipt, None)
        self.step()
        return gone

    async def hide(self, receipts: Sequence[str], seconds: int) -> list[bool]:
        self.step()
        assert seconds == 0, "nothing here takes ten minutes"
        self.hidden -= set(receipts)
        return [True] * len(receipts)

    # Delivery.

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        assert not self.stopped()
        [data] = portions.values()
        if self.fails():
            raise Refused(WHY)
        outcome = Outcome(undeliverable={each.number: WHY for each in data if self.fails()})
        if self.fails():
            outcome = Outcome(WHY)  # of which Kinesis may have taken some

        def settle() -> None:
            with suppress(Killed):
                for each in data:
                    self.step()
                    if each.number not in outcome.undeliverable and (
                        outcome.unavailable is None or self.chance.random() < 0.3
                    ):
                        self.in_stream[each.partition_key] += 1
                self.step()
                on_settled(outcome)
                return
            # Nobody is left to be told: whoever waits for it is gone, too.
            for task in asyncio.all_tasks():
                task.cancel()

        asyncio.get_running_loop().call_later(self.chance.random() * self.latency, settle)

    def in_store(self, unpack: Callable[[Message], list[DeadLetter]]) -> Counter[str]:
        held = (unpack(Message(each, body, "", 1, 0.0)) for each, (body, _) in self.messages.items())
        return Counter(letter.partition_key for letters in held for letter in letters)


def run(
    world: World,
    store: Store,
    selection: Selection,
    *,
    most: int | None = None,
    per_second: int | None = None,
    stop_after: int | None = None,
    loop: Callable[..., Any] = virtual_time.run,
) -> Tally | None:
    """Redrive once; None where the process was gone before its end."""
    tally = Tally()

    async def work() -> None:
        stop = asyncio.Event()
        left = itertools.count(10**9 if stop_after is None else stop_after, -1)
        world.on_step = lambda: stop.set() if next(left) <= 0 else None
        world.stopped = stop.is_set
        pace = Pace(per_second) if per_second else None
        async with store:
            await redrive(store, Sender(world, (), tally, stop, pace), selection, stop, most=most)

    with suppress(Killed, asyncio.CancelledError):
        loop(work())
        return tally
    return None


def some_letters(chance: random.Random, number: int, *, unreadable: bool = True) -> list[DeadLetter]:
    return [
        a_letter(
            chance.choice([EVENTS, OTHERS, None] if unreadable else [EVENTS, OTHERS]),
            f"key-{index}",
            code=chance.choice(CODES),
            time=TIME - timedelta(hours=chance.randrange(5)),
        )
        for index in range(number)
    ]


def some_selection(chance: random.Random) -> Selection:
    def maybe(*values: Any) -> Any:
        return {chance.choice(values)} if chance.random() < 0.3 else ()

    if chance.random() < 0.5:
        return Selection(sources=maybe("src", "another"))

    return Selection(
        sources=maybe("src", "another"),
        streams=maybe("events", "others"),
        codes=maybe(*CODES),
        since=TIME - timedelta(hours=2) if chance.random() < 0.3 else None,
        until=TIME - timedelta(hours=1) if chance.random() < 0.3 else None,
    )


def check_first_run(
    world: World,
    letters: Sequence[DeadLetter],
    in_store: Counter[str],
    selection: Selection,
    most: int | None,
) -> None:
    """Nothing is in neither place, and nothing was sent that was not asked for."""
    keys = {letter.partition_key for letter in letters}
    assert keys == set(in_store) | set(world.in_stream)
    assert set(world.in_stream) <= {each.partition_key for each in letters if selection.fits(each)}
    assert most is None or world.in_stream.total() <= most


CHANCE = st.integers(0, 2**32).map(random.Random)
TROUBLE = st.sampled_from([0.0, 0.1, 0.3])
MAYBE_FEW = st.none() | st.integers(1, 20)
STEPS = st.just(float("inf")) | st.integers(0, 150).map(float)


@settings(max_examples=300, deadline=None)
@given(CHANCE, st.booleans(), TROUBLE, STEPS, MAYBE_FEW, MAYBE_FEW, st.none() | st.integers(0, 60))
def test_a_queues_letters_are_in_their_streams_or_still_in_the_queue(
    chance: random.Random,
    waiting: bool,
    trouble: float,
    steps: float,
    most: int | None,
    per_second: int | None,
    stop_after: int | None,
) -> None:
    form = RECORDS if waiting else LETTERS
    world = World(chance)
    letters = some_letters(chance, chance.randint(1, 40), unreadable=not waiting)
    put(world, letters, waiting=waiting)
    if waiting:  # what is in the overflow queue has neither a code nor a time of its own
        letters = [letter for body, sent in world.messages.values() for letter in unpacked(form, body, sent)]
    world.now, world.trouble, world.steps = 1e10, trouble, steps
    if trouble:  # and what is left of a message may fit into none
        world.limit = chance.choice([packs.ROOM_FOR_REASON + 100, packs.ROOM_FOR_REASON + 200, 200_000])
    selection = some_selection(chance)
    store = QueueStore(cast("Queue", world), form, now=lambda: world.now)
    tally = run(world, store, selection, most=most, per_second=per_second, stop_after=stop_after)
    in_store = world.in_store(form.unpack)
    check_first_run(world, letters, in_store, selection, most)
    twice = set(in_store) & set(world.in_stream)
    if tally is not None:
        assert not world.hidden & world.messages.keys(), "what is still there is given back"
        if not trouble:
            assert not twice
            assert in_store.total() + world.in_stream.total() == len(letters)
            assert (tally.sent, tally.kept.total(), tally.stuck) == (world.in_stream.total(), 0, 0)
    elif not trouble:
        in_hand = [unpacked(form, *world.messages[each]) for each in world.in_hand if each in world.messages]
        assert len(in_hand) <= BATCH_ENTRIES
        assert twice <= {each.partition_key for held in in_hand for each in held}, "only what was in flight"

    world.hidden.clear()
    world.now, world.trouble, world.steps, world.limit = 2e10, 0.0, float("inf"), 200_000
    again = run(world, QueueStore(cast("Queue", world), form, now=lambda: world.now), Selection())
    assert again is not None
    assert set(world.in_stream) == {each.partition_key for each in letters if each.origin}
    assert set(world.in_store(form.unpack)) == {each.partition_key for each in letters if not each.origin}


def put(world: World, letters: list[DeadLetter], *, waiting: bool) -> None:
    """Put letters into the queue, several in a message."""
    by_origin = [[each for each in letters if each.origin == origin] for origin in (EVENTS, OTHERS)]
    for group in by_origin if waiting else [letters]:
        rest = group
        while rest:
            size = world.chance.randint(1, 12)
            some, rest = rest[:size], rest[size:]
            if waiting:
                assert some[0].origin is not None
                records = [(each.partition_key, each.data) for each in some]
                packed = packs.pack(some[0].origin, records, world.limit)
            else:
                packed = dead_letters.pack(some, world.limit)
            for each in packed.packs:
                world.put(each.body)


def unpacked(form: Any, body: str, sent_at: float) -> list[DeadLetter]:
    return cast("list[DeadLetter]", form.unpack(Message("", body, "", 1, sent_at)))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANCE, TROUBLE, STEPS, MAYBE_FEW, st.none() | st.integers(0, 60))
def test_a_files_letters_are_in_their_streams_or_still_in_the_file(
    tmp_path: Path,
    chance: random.Random,
    trouble: float,
    steps: float,
    most: int | None,
    stop_after: int | None,
) -> None:
    path = tmp_path / "letters.jsonl"
    path.unlink(missing_ok=True)
    letters = some_letters(chance, chance.randint(1, 30))
    asyncio.run(FileDeadLetters(path).put(letters))
    world = World(chance, steps=steps, trouble=trouble, latency=0.0)
    selection = some_selection(chance)
    take_out = letter_file.take_out

    def take_out_or_die(*arguments: Any) -> None:
        world.step()
        take_out(*arguments)
        world.step()

    def in_file() -> Counter[str]:
        return Counter(letter.partition_key for _, letter in letter_file.read(path)[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letter_file, "take_out", take_out_or_die)
        tally = run(
            world,
            FileStore(path, chance.choice([None, 1, 5])),
            selection,
            most=most,
            stop_after=stop_after,
            loop=asyncio.run,
        )
    check_first_run(world, letters, in_file(), selection, most)
    if tally is not None and not trouble:
        assert not set(in_file()) & set(world.in_stream)
    world.trouble, world.steps = 0.0, float("inf")
    assert run(world, FileStore(path), Selection(), loop=asyncio.run) is not None
    assert set(world.in_stream) == {each.partition_key for each in letters if each.origin}
    assert set(in_file()) == {each.partition_key for each in letters if not each.origin}
