"""One request's records, from the moment they are queued until all of them are safe."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from headgate.delivery.lanes import Lane


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record or a request is not safe: a code for programs, a message for people."""

    code: str
    message: str
    retry_after: int | None = None
    """Seconds after which it is worth trying again; None when it never is."""


@dataclass(slots=True)
class Outcome:
    """What became of a submission once nothing of it is open any more."""

    unavailable: Refusal | None = None
    """Set when a record could not be made safe in time: nothing of the request is acknowledged."""
    undeliverable: dict[int, Refusal] = field(default_factory=dict)
    """The events that can never be delivered, by their index in the request."""


class Submission:
    """Counts the records of one request that are not settled, and tells once when none is left."""

    __slots__ = ("arrived", "on_settled", "open_records", "outcome", "records", "told")

    def __init__(self, on_settled: "Callable[[Submission], None]", arrived: float) -> None:
        self.on_settled = on_settled
        self.arrived = arrived
        """When the request was taken, by the event loop's clock."""
        self.records: list[Record] = []
        self.open_records = 0
        self.outcome = Outcome()
        self.told = False
        """Whether the request has been answered; what is still in flight of it is only counted."""

    def settle(self) -> None:
        """Note that one record is safe, or is noted in the outcome."""
        self.open_records -= 1
        if not self.open_records:
            self.tell()

    def undeliverable(self, index: int, refusal: Refusal) -> None:
        """Note that an event can never be delivered."""
        self.outcome.undeliverable[index] = refusal
        self.settle()

    def fail(self, refusal: Refusal) -> None:
        """Give the request up: it is answered now, what waits leaves its lane, what is in flight goes on."""
        if not self.told:
            self.outcome.unavailable = refusal
            for record in self.records:
                if record.waiting:
                    record.lane.withdraw(record)
            self.tell()

    def tell(self) -> None:
        """Hand over the outcome, once."""
        if not self.told:
            self.told = True
            self.records = []  # they know their request: no cycle is to be left
            self.on_settled(self)


class Record(msgspec.Struct, eq=False):
    """One entry of PutRecords, and the request it belongs to."""

    partition_key: str
    data: bytes
    submission: Submission
    index: int
    """The event's index in its request."""
    slot: int
    """Which of the equal ranges of the hash space its partition key falls into."""
    lane: "Lane"
    size: int
    """Bytes that count against Kinesis' limits: data and partition key."""
    sequence: int = 0
    """Its place in the order in which the destination's records were queued."""
    waiting: bool = False
    """Whether it stands in its lane: neither in flight nor settled."""
