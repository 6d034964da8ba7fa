"""Syncs in virtual time: a store, a delivery and a stream that are all in memory, and processes that die.

A process dies between any two of its effects: at each call to the store or to delivery, before or after it is
done. What it had in flight then arrives later, or never.
"""

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from headgate.audiences import sending
from headgate.audiences.calls import Calls, Change, Computation, records
from headgate.audiences.folder import Folder
from headgate.audiences.ranges import Pairs, Ranges
from headgate.audiences.record import Counts, Kind, Record, Unfinished
from headgate.audiences.sending import Bounds, Sender
from headgate.audiences.store import Document
from headgate.audiences.sync import Guards, Outbound, Subject, Sync
from headgate.delivery.delivery import Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.errors import BusyError
from tests.virtual_time import VirtualTimeLoop

TARGETS = [Target("s", "us-west-2", name, None, "s") for name in ("events", "audit")]
T = TypeVar("T")
Members = Mapping[str, str]
"""The value of each user, as JSON text."""


class Killed(Exception):  # noqa: N818  # no error
    """The process is dead: it does nothing any more."""


class Life:
    """Counts what a process does, and ends it."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.steps = 0
        self.kill_at = kill_at
        self.dead = False
        self.lost = False
        """Whether the process knows that it has lost its lock."""

    def step(self) -> None:
        """Go on, or die here."""
        if self.steps == self.kill_at:
            self.dead = True
        self.steps += 1
        if self.dead:
            raise Killed

    @contextmanager
    def around(self) -> Iterator[None]:
        """Be able to die before and after an effect."""
        self.step()
        yield
        self.step()


class MemoryStore:
    """A store, as one process sees it. A lock is freed by death; files outlive everybody."""

    def __init__(self, content: dict[str, bytes], locks: dict[str, Life], life: Life) -> None:
        self.name = "memory"
        self.content = content
        self._locks = locks
        self._life = life

    def read(self, path: str) -> Document | None:
        self._life.step()
        return Document(self.content[path]) if path in self.content else None

    def write(self, path: str, content: bytes, replacing: Document | None) -> Document:
        with self._life.around():
            if self.content.get(path) != (replacing.content if replacing is not None else None):
                raise BusyError(path)
            self.content[path] = content
        return Document(content)

    def keep(self, path: str, file: Path) -> None:
        with self._life.around():
            assert path not in self.content, "a file's path is used once"
            self.content[path] = file.read_bytes()

    def fetch(self, path: str, scratch: Path) -> Path:
        self._life.step()
        to = scratch / path.rpartition("/")[2]
        to.write_bytes(self.content[path])
        return to

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            with self._life.around():
                self.content.pop(path, None)

    def paths(self, under: str) -> list[str]:
        self._life.step()
        return sorted(each for each in self.content if each.startswith(f"{under}/"))

    @contextmanager
    def lock(self, path: str, what: str) -> Iterator["MemoryStore"]:
        self._life.step()
        holder = self._locks.get(path)
        if holder is not None and not holder.dead:
            raise BusyError(what)
        self._locks[path] = self._life
        try:
            yield self
        finally:
            if not self._life.dead and self._locks.get(path) is self._life:
                del self._locks[path]

    def check(self) -> None:
        self._life.step()
        if self._life.lost:
            raise BusyError("lost")

    @contextmanager
    def scratch(self, _folder: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as directory:
            yield Path(directory)


class JsonTables:
    """Tables that are JSON texts, in place of DuckDB's."""

    def __init__(self, snapshot: Members, left: str) -> None:
        self._snapshot = snapshot
        self._left = left

    def compare(self, state: Path | None, changes: Path) -> Counts:
        before = members_in(state)
        told = {user: value for user, value in self._snapshot.items() if before.get(user) != value}
        gone = dict.fromkeys(before.keys() - self._snapshot.keys(), self._left)
        all_told = {**told, **gone}
        rows = [[number, "userId", user, all_told[user]] for number, user in enumerate(sorted(all_told))]
        changes.write_text(json.dumps(rows))
        entered = len(told.keys() - before.keys())
        return Counts(
            entered=entered,
            left=len(gone),
            changed=len(told) - entered,
            unchanged=len(self._snapshot) - len(told),
            members_before=len(before),
            members=len(self._snapshot),
        )

    def apply(self, state: Path | None, changes: Path, delivered: Pairs, to: Path) -> int:
        members, numbers = members_in(state), Ranges(delivered)
        for number, _, user, value in json.loads(changes.read_text()):
            if number not in numbers:
                continue
            if value == self._left:
                members.pop(user, None)
            else:
                members[user] = value
        to.write_text(json.dumps(members))
        return len(members)

    def read(self, changes: Path, start: int) -> Iterator[list[Change]]:
        rest = [tuple(each) for each in json.loads(changes.read_text())[start:]]
        for begin in range(0, len(rest), 3):
            yield rest[begin : begin + 3]


def members_in(state: Path | None) -> dict[str, str]:
    return json.loads(state.read_text()) if state is not None else {}


@dataclass
class Stream:
    """What every destination's stream holds, and what the dead still have on its way."""

    arrived: dict[Target, list[bytes]] = field(default_factory=lambda: {each: [] for each in TARGETS})
    on_its_way: list[tuple[Target, bytes]] = field(default_factory=list)

    def late(self, chance: random.Random) -> None:
        """Have some of what the dead had in flight arrive now, some later, and some never."""
        chance.shuffle(self.on_its_way)
        half = len(self.on_its_way) // 2
        for target, data in self.on_its_way[:half]:
            self.arrived[target].append(data)
        del self.on_its_way[: half + 1]

    def copies(self, target: Target) -> int:
        """Return how many records are there that were there already."""
        ids = Counter(json.loads(data)["messageId"] for data in self.arrived[target])
        return ids.total() - len(ids)

    def events(self, target: Target) -> dict[str, Any]:
        """Return what the events say of each user, the last one where there are several."""
        return {
            event["userId"]: value
            for event in map(json.loads, self.arrived[target])
            for value in event["traits"].values()
        }

    def message_ids(self, target: Target) -> set[str]:
        return {json.loads(data)["messageId"] for data in self.arrived[target]}

    def clear(self) -> None:
        """Forget what has arrived."""
        for arrived in self.arrived.values():
            arrived.clear()

    def replayed(self, target: Target, key: str) -> dict[str, Any]:
        """Return what a consumer that drops repeated message IDs knows of each user."""
        seen: set[str] = set()
        known: dict[str, Any] = {}
        for event in map(json.loads, self.arrived[target]):
            if event["messageId"] not in seen:
                seen.add(event["messageId"])
                known[event["userId"]] = event["traits"][key]
        return known


class SimulatedDelivery:
    """Delivers after a while, in any order, and fails as often as it is told to."""

    def __init__(self, world: "World", life: Life) -> None:
        self._world = world
        self._chance = world.chance
        self._life = life
        self._loop = asyncio.get_running_loop()
        self._whole = asyncio.current_task()
        self._open: set[tuple[Target, bytes]] = set()

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        self._life.step()
        self._world.submitted(self._life)
        if self._fails():
            raise Refused(Refusal("paused", "the destination is paused", 1))
        taken = [(target, data) for target, portion in portions.items() for data in portion]
        self._open.update((target, data.data) for target, data in taken)
        delay = self._chance.uniform(0.01, 0.1)
        self._loop.call_later(delay, self._land, taken, on_settled, self._fails())

    def strand(self) -> None:
        """Leave what is in flight on its way: the process has died."""
        self._world.stream.on_its_way += sorted(self._open, key=lambda each: each[1])

    def _fails(self) -> bool:
        return self._chance.random() < self._world.trouble

    def _land(
        self, taken: list[tuple[Target, Data]], on_settled: Callable[[Outcome], None], fails: bool
    ) -> None:
        undeliverable = {}
        try:
            self._life.step()
            for target, data in taken:
                self._open.discard((target, data.data))
                if json.loads(data.data)["userId"] in self._world.never:
                    undeliverable[data.number] = Refusal("too_large", "the record is too large")
                elif not (fails and self._chance.random() < 0.5):
                    self._world.stream.arrived[target].append(data.data)
            self._life.step()
        except Killed:
            assert self._whole is not None
            self._whole.cancel()
            return
        on_settled(Outcome(Refusal("deadline", "not in time", 5) if fails else None, undeliverable))


class Listening:
    """A screen that keeps what it was told."""

    def __init__(self) -> None:
        self.resumed: list[int] = []
        self.counts: list[Counts] = []
        self.ends: list[Record] = []
        self.added: list[str] = []

    def resumes(self, unfinished: Unfinished, settled: int) -> None:
        assert 0 <= settled <= unfinished.counts.calls
        self.resumed.append(settled)

    def compared(self, counts: Counts) -> None:
        self.counts.append(counts)

    def adds(self, destinations: list[str]) -> None:
        self.added = destinations

    def ended(self, record: Record) -> None:
        self.ends.append(record)


@dataclass
class World:
    """One audience or trait, and all the processes that ever sync it."""

    kind: Kind = "audience"
    name: str = "Spender"
    bounds: Bounds = field(default_factory=lambda: Bounds(window=5, together=2))
    guards: Guards = field(default_factory=lambda: Guards(allow_empty=True, max_removed=1.0))
    seed: int = 0
    trouble: float = 0.0
    """How likely each call to delivery fails, in one way or another."""
    never: set[str] = field(default_factory=set)
    """Users whose events can never be delivered."""
    content: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, Life] = field(default_factory=dict)
    stream: Stream = field(default_factory=Stream)
    screen: Listening = field(default_factory=Listening)
    destinations: tuple[str, ...] = ("s/events",)
    now: float = 1_700_000_000.0
    after: tuple[int, Callable[[Life], None]] | None = None
    """After how many submissions of the next process something happens, and what."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.computation = Computation(self.kind, "spender", "s")

    def process(self, snapshot: Members, life: Life | None = None) -> Sync:
        """Return a sync as one process runs it."""
        life = life or Life()
        store = MemoryStore(self.content, self.locks, life)
        folder = Folder(store, "s", "spender", process=f"{self.chance.getrandbits(32):x}")
        subject = Subject(
            name=self.name, key="spender", kind=self.kind, source_id="s", destinations=self.destinations
        )
        tables = JsonTables(snapshot, self.computation.left)
        send = partial(self._send, life)
        return Sync(folder, subject, tables, send, self.screen, self.guards, lambda: self.now)

    def run(self, snapshot: Members, kill_at: int | None = None) -> int | None:
        """Sync, and return how many steps it took; None where it was killed in between."""
        self.now += 0.0005
        self.stream.late(self.chance)
        life = Life(kill_at)
        with suppress(Killed, asyncio.CancelledError):
            self.process(snapshot, life).run()
        return None if life.dead else life.steps

    def submitted(self, life: Life) -> None:
        """Count a submission."""
        if self.after is None:
            return
        left, happens = self.after
        self.after = (left - 1, happens) if left > 1 else None
        if left == 1:
            happens(life)

    def lose_lock_after(self, submissions: int) -> None:
        """Have the next process lose its lock, and know it, after so many submissions."""

        def lose(life: Life) -> None:
            life.lost = True
            self.locks.clear()

        self.after = (submissions, lose)

    def meanwhile_after(self, submissions: int, happens: Callable[[], None]) -> None:
        """Have something happen after so many submissions of the next process."""
        self.after = (submissions, lambda _: happens())

    def _send(self, life: Life, outbound: Outbound) -> None:
        async def beside(call: Callable[[], T]) -> T:
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            return call()

        with (
            patch.object(sending, "in_thread", beside),
            asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        ):
            runner.run(self._sent(life, outbound))

    async def _sent(self, life: Life, outbound: Outbound) -> None:
        delivery = SimulatedDelivery(self, life)
        calls = Calls(self.computation, outbound.sync, datetime.fromtimestamp(outbound.sync / 1000, UTC))

        def portions(changes: Sequence[Change]) -> Mapping[Target, Sequence[Data]]:
            events = calls.events(changes, datetime.now(UTC))
            return {target: records(events, use_message_id=False) for target in TARGETS}

        sender = Sender(
            delivery,
            portions,
            outbound.save,
            outbound.check,
            outbound.acknowledged,
            outbound.undeliverable,
            self.bounds,
            self.chance.random,
        )
        try:
            await sender.send(outbound.changes)
        finally:
            if life.dead:
                delivery.strand()
