"""Lanes: the ordered queues of the records bound for one shard each.

The hash space of partition keys is cut into 256 equal slots. A slot belongs to one lane at any time; slots
whose records were seen to arrive in the same shard share that shard's lane. So shards are learnt from the
answers, where a role may not list them too, and a split or a merge is followed the same way.

Order per partition key rests on two invariants. A lane is sorted by the order in which records were queued,
and what failed goes back to its place. A slot moves to another lane only while nothing of its lane is in
flight, and takes its waiting records along.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import md5
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

from headgate.delivery.pace import Pace, cost
from headgate.delivery.partition_keys import acceptable
from headgate.delivery.submission import Record

SLOTS = 256
MAX_CACHED_KEYS = 65_536
"""Partition keys that are remembered; hashing one again costs more than looking it up."""

_sequence = attrgetter("sequence")


class Key(NamedTuple):
    """What a lane has to know of a partition key."""

    slot: int
    """The slot into which its hash falls: the first byte."""
    size: int
    """Its bytes."""
    instead: str | None
    """The key that is sent instead of one that Kinesis would refuse; slot and size are this one's."""


class Keys(dict[str, Key]):
    """Partition keys, each hashed when it is first asked for."""

    def __missing__(self, partition_key: str) -> Key:
        if len(self) >= MAX_CACHED_KEYS:
            self.clear()
        taken = acceptable(partition_key)
        encoded = taken.encode()
        slot = md5(encoded, usedforsecurity=False).digest()[0]
        key = Key(slot, len(encoded), None if taken == partition_key else taken)
        self[partition_key] = key
        return key


class Held:
    """How much a destination or a process holds: of records that wait or are in flight.

    Args:
        whole: how much the process holds; this is a destination's part of it.
    """

    __slots__ = ("_whole", "size")

    def __init__(self, whole: "Held | None" = None) -> None:
        self._whole = whole
        self.size = 0
        """Bytes of data and partition keys."""

    def change(self, size: int) -> None:
        """Add to what is held, and to what the whole holds."""
        self.size += size
        if self._whole is not None:
            self._whole.size += size


class Lane:
    """The records that wait for one shard, oldest first, and what is known of how it takes them."""

    __slots__ = (
        "blocked_until",
        "failures",
        "held",
        "held_bytes",
        "in_flight",
        "moves",
        "pace",
        "shard_id",
        "singles",
        "throttled",
        "waiting",
        "withdrawn",
    )

    def __init__(self, held: Held, shard_id: str | None = None) -> None:
        self.held = held
        self.shard_id = shard_id
        """None until an answer names it, and for a slot that lies across two shards."""
        self.waiting: deque[Record] = deque()
        self.withdrawn = 0
        """How many of `waiting` stand there for nothing: their requests were given up."""
        self.in_flight = 0
        """Records on their way."""
        self.singles = 0
        """How many of them are on their way alone, each in a PutRecord of its own."""
        self.held_bytes = 0
        """Of what waits or is in flight."""
        self.pace = Pace()
        self.blocked_until = 0.0
        self.failures = 0
        """Answers in a row of which nothing went through."""
        self.throttled = 0
        """Records that the shard refused for now, since the lane was made."""
        self.moves: dict[int, str] = {}
        """Slots that belong to another shard, to be moved when nothing is in flight."""

    @property
    def held_records(self) -> int:
        """How many records wait or are in flight."""
        return len(self.waiting) - self.withdrawn + self.in_flight

    def settled(self, size: int) -> None:
        """Note that records of so many bytes are not held any more."""
        self.held_bytes -= size
        self.held.change(-size)

    def put_back(self, failed: list[Record]) -> None:
        """Return records that failed to their places; those of requests given up are dropped."""
        kept = []
        for record in failed:
            if record.submission.given_up:
                self.settled(record.size)
            else:
                record.waiting = True
                kept.append(record)
        self._insert(kept)

    def withdraw(self, record: Record) -> None:
        """Drop a waiting record: its request was given up."""
        record.waiting = False
        record.data = b""
        self.settled(record.size)
        self.withdrawn += 1
        # Lanes that cannot send are never packed, so this keeps their dead entries in bounds.
        if self.withdrawn > 64 and self.withdrawn * 2 > len(self.waiting):
            self._keep(lambda each: each.waiting)
            self.withdrawn = 0

    def oldest(self) -> Record | None:
        """Return the record that is sent next."""
        while self.waiting:
            if self.waiting[0].waiting:
                return self.waiting[0]
            self.waiting.popleft()
            self.withdrawn -= 1
        return None

    def seconds_to_deliver(self) -> float:
        """Return how long all that is held will take at the lane's pace; 0 where it is not paced."""
        if self.pace.rate is None:
            return 0.0
        return cost(self.held_records, self.held_bytes) / self.pace.rate

    def give(self, slots: Iterable[int], to: "Lane") -> None:
        """Move the records of some slots to another lane. Nothing of this lane is in flight."""
        leaving = frozenset(slots)
        moved = [record for record in self.waiting if record.waiting and record.slot in leaving]
        if not moved:
            return
        self._keep(lambda each: each.waiting and each.slot not in leaving)
        self.withdrawn = 0
        size = sum(record.size for record in moved)
        for record in moved:
            record.lane = to
        self.held_bytes -= size
        to.held_bytes += size
        to._insert(moved)

    def _insert(self, records: list[Record]) -> None:
        """Put records, sorted among themselves, to their places in the order of queueing."""
        if not records:
            return
        if not self.waiting or records[-1].sequence < self.waiting[0].sequence:
            self.waiting.extendleft(reversed(records))
        else:
            self.waiting = deque(merge(records, self.waiting, key=_sequence))

    def _keep(self, wanted: Callable[[Record], bool]) -> None:
        self.waiting = deque(filter(wanted, self.waiting))


class Lanes:
    """All lanes of one destination, and which of them a partition key's records go through."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.keys = Keys()
        self.of_slot: list[Lane | None] = [None] * SLOTS
        """Each slot's lane; None where it had no record yet."""
        self._of_shard: dict[str, Lane] = {}
        # Where each slot's records went before. A shard that was split or merged takes no record again, so
        # one that returns means that the slot lies across two shards.
        self._earlier: dict[int, set[str]] = {}
        self._sequence = 0
        self.busy: set[Lane] = set()
        """All lanes in which records wait, and some that were emptied just now."""
        self.resharded = False
        """Whether a shard took records that none had gone to before; whoever has seen to it resets this."""

    def __iter__(self) -> Iterator[Lane]:
        """Yield every lane once."""
        yield from dict.fromkeys(lane for lane in self.of_slot if lane is not None)

    def lane(self, slot: int) -> Lane:
        """Return a slot's lane."""
        lane = self.of_slot[slot]
        if lane is None:
            lane = self.of_slot[slot] = Lane(self.held)
        return lane

    def add(self, records: list[Record]) -> None:
        """Queue records at the ends of their lanes, in their order."""
        total, sequence = 0, self._sequence
        for record in records:
            sequence += 1
            record.sequence = sequence
            lane, size = record.lane, record.size
            if not lane.waiting:
                self.busy.add(lane)
            lane.waiting.append(record)
            lane.held_bytes += size
            total += size
        self._sequence = sequence
        self.held.change(total)

    def put_back(self, lane: Lane, failed: list[Record]) -> None:
        """Return records that failed to their places in their lane."""
        lane.put_back(failed)
        if lane.waiting:
            self.busy.add(lane)

    def drop_idle(self) -> None:
        """Forget lanes in which nothing waits any more."""
        self.busy = {lane for lane in self.busy if lane.waiting}

    def landed(self, lane: Lane, slot: int, shard_id: str) -> None:
        """Note that a record of a slot, sent through `lane`, arrived in a shard."""
        if lane.shard_id == shard_id or self.of_slot[slot] is not lane:
            lane.moves.pop(slot, None)
            return
        earlier = self._earlier.setdefault(slot, set())
        if lane.shard_id is None and shard_id in earlier:
            return  # the slot is known to lie across shards
        if lane.shard_id is not None:
            earlier.add(lane.shard_id)
        lane.moves[slot] = shard_id

    def mapped(self, shard_of_slot: Mapping[int, str]) -> None:
        """Note which shard each slot belongs to, as ListShards says."""
        for slot, shard_id in shard_of_slot.items():
            lane = self.of_slot[slot]
            if lane is None:
                self.of_slot[slot] = self._shard(shard_id)
            elif lane.shard_id != shard_id:
                lane.moves[slot] = shard_id
        for lane in list(self):
            self.settle_moves(lane)
        self.resharded = False

    def settle_moves(self, lane: Lane) -> None:
        """Move the slots of `lane` that belong elsewhere, if nothing of it is in flight."""
        if lane.in_flight or not lane.moves:
            return
        moves, lane.moves = lane.moves, {}
        targets: dict[Lane, list[int]] = {}
        for slot, shard_id in moves.items():
            targets.setdefault(self._destined(lane, slot, shard_id), []).append(slot)
        for target, slots in targets.items():
            if target is lane:
                continue
            for slot in slots:
                self.of_slot[slot] = target
            lane.give(slots, target)
            if target.waiting:
                self.busy.add(target)
        if not lane.waiting:
            self.busy.discard(lane)
        if lane.shard_id is not None and lane not in self.of_slot:
            self._of_shard.pop(lane.shard_id, None)

    def _destined(self, lane: Lane, slot: int, shard_id: str) -> Lane:
        """Return the lane that a slot of `lane` moves to now that its records go to a shard."""
        if shard_id in self._earlier.get(slot, ()):
            self._earlier[slot].add(shard_id)
            return Lane(self.held)
        if lane.shard_id is None and shard_id not in self._of_shard and self.of_slot.count(lane) == 1:
            lane.shard_id = shard_id
            # What was seen of one slot says little of its shard.
            lane.pace = Pace()
            self._of_shard[shard_id] = lane
            self.resharded = True
            return lane
        return self._shard(shard_id)

    def _shard(self, shard_id: str) -> Lane:
        if shard_id not in self._of_shard:
            self.resharded = True
        return self._of_shard.setdefault(shard_id, Lane(self.held, shard_id))
