"""Batches or singles: what is sent while a role may PutRecord but not PutRecords.

An older policy grants PutRecord alone. Records then go one by one, at most one of a partition key at a time,
so that a key keeps its order; once in a while one PutRecords shows whether the policy was updated.
"""

from collections.abc import Iterable

from headgate.delivery.lanes import Lane
from headgate.delivery.pace import cost
from headgate.delivery.packer import Parcel, Portion, seconds_until_ready
from headgate.delivery.submission import Record

PROBE_SECONDS = 60.0
"""Between two PutRecords that try whether batches are allowed now."""
KEYS_PER_LANE = 16
"""Records of one lane that may be in flight, each of another partition key."""
LOOK_AHEAD = 256
"""Waiting records of a lane that are looked at for a key that is free."""


class Singles:
    """Whether a destination sends singles, and which keys are on their way."""

    def __init__(self) -> None:
        self.on = False
        self.keys: set[str] = set()
        """Partition keys of the records in flight."""
        self._probe_at = 0.0

    def start(self, now: float) -> bool:
        """Send singles from now on, and try batches again in a while; return whether that is news."""
        news, self.on = not self.on, True
        self._probe_at = now + PROBE_SECONDS
        return news

    def stop(self) -> bool:
        """Send batches again; return whether that is news."""
        news, self.on = self.on, False
        return news

    def probe_due(self, now: float) -> bool:
        """Return whether it is time to try a batch."""
        return now >= self._probe_at

    def probed(self, now: float) -> None:
        """Note that a batch is on its way."""
        self._probe_at = now + PROBE_SECONDS

    def pack(self, busy: Iterable[Lane], now: float, room: int) -> tuple[list[Parcel], float | None]:
        """Take up to `room` records, each a request of its own, and mark them as in flight.

        Returns:
            The requests, and the seconds until a lane that is held back by its pace or backoff may send.
        """
        parcels: list[Parcel] = []
        wait: float | None = None
        for lane in busy:
            # A batch of the lane may hold earlier records of any key; slots move only from a lane at rest.
            if lane.in_flight > lane.singles or (lane.moves and lane.in_flight) or lane.oldest() is None:
                continue
            seconds = seconds_until_ready(lane, now)
            if seconds > 0:
                wait = seconds if wait is None else min(wait, seconds)
                continue
            parcels += self._take(lane, now, min(room - len(parcels), KEYS_PER_LANE - lane.in_flight))
        return parcels, wait

    def landed(self, lane: Lane, record: Record) -> None:
        """Note that a single is not in flight any more."""
        lane.singles -= 1
        self.keys.discard(record.partition_key)

    def _take(self, lane: Lane, now: float, room: int) -> list[Parcel]:
        taken: list[Parcel] = []
        passed: list[Record] = []
        keys_passed: set[str] = set()
        allowance = lane.pace.allowance(now)
        while len(taken) < room and len(passed) < LOOK_AHEAD and (record := lane.oldest()) is not None:
            if taken and allowance <= 0:
                break
            lane.waiting.popleft()
            key = record.partition_key
            if key in self.keys or key in keys_passed:
                passed.append(record)
                keys_passed.add(key)
                continue
            self.keys.add(key)
            record.waiting = False
            spent = cost(1, record.size)
            lane.pace.spend(spent)
            allowance -= spent
            lane.in_flight += 1
            lane.singles += 1
            taken.append(Parcel([record], [Portion(lane, 0, 1, record.size)], record.size))
        lane.waiting.extendleft(reversed(passed))
        return taken
