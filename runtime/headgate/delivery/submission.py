"""One request's records, from the moment they are queued until all of them are safe."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from headgate.delivery.lanes import Lane
    from headgate.delivery.target import Target

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record or a request is not safe: a code for programs, a message for people."""

    code: str
    message: str
    retry_after: int | None = None
    """Seconds after which it is worth trying again; None when it never is."""


class Outcome(msgspec.Struct):
    """What became of a submission once nothing of it is open any more."""

    unavailable: Refusal | None = None
    """Set when a record could not be made safe in time: nothing of the request is acknowledged."""
    undeliverable: dict[int, Refusal] = {}
    """The events that can never be delivered, by their index in the request."""


class Submission(msgspec.Struct, eq=False):
    """Counts the records of one request that are not settled, and tells once when none is left."""

    on_settled: "Callable[[Outcome], None]"
    """Tells whoever submitted it."""
    arrived: float
    """When the request was taken, by the event loop's clock."""
    on_closed: "Callable[[Submission], None] | None" = None
    """Called just before."""
    drained: bool = False
    """Whether it comes out of overflow: it has no deadline, and never goes there again."""
    portions: "list[tuple[Target, list[Record]]]" = []
    """Its records for each destination."""
    open_records: int = 0
    """Records, and whatever else has to be safe before the request is."""
    outcome: Outcome = msgspec.field(default_factory=Outcome)
    given_up: bool = False
    """Whether nothing of it is sent any more; what is in flight is only counted."""
    told: bool = False
    """Whether the request has been answered."""

    def close(self, number: int = 1) -> None:
        """Note that so many of the things that it waits for are safe, or noted in the outcome."""
        self.open_records -= number
        if not self.open_records:
            self.tell()

    def undeliverable(self, index: int, refusal: Refusal) -> None:
        """Note that an event can never be delivered."""
        self.outcome.undeliverable[index] = refusal
        self.close()

    def fail(self, refusal: Refusal) -> None:
        """Give the request up: it is answered now, what waits leaves its lane, what is in flight goes on."""
        if not self.told:
            self.outcome.unavailable = refusal
            self._give_up()
            self.tell()

    def unsafe(self) -> "list[tuple[Target, list[Record]]]":
        """Return the records that are not settled, for each destination that has any."""
        found = [
            (target, [each for each in records if not each.settled]) for target, records in self.portions
        ]
        return [(target, records) for target, records in found if records]

    def rescue(self) -> "list[tuple[Target, list[tuple[str, bytes]]]]":
        """Give the request up without an answer, and return the keys and data of what is not settled.

        The request does not wait for these records any more. What is in flight is among them: whether it
        arrives is not known yet, and it may then arrive twice.
        """
        unsafe = self.unsafe()
        rescued = [
            (target, [(each.partition_key, each.data) for each in records]) for target, records in unsafe
        ]
        self.open_records -= sum(len(records) for _, records in unsafe)
        self._give_up()
        return rescued

    def _give_up(self) -> None:
        self.given_up = True
        for _, records in self.portions:
            for record in records:
                if record.waiting:
                    record.lane.withdraw(record)

    def tell(self) -> None:
        """Hand over the outcome, once."""
        if not self.told:
            self.told = True
            self.portions = []  # its records know their request: no cycle is to be left
            if self.on_closed is not None:
                self.on_closed(self)
            try:
                self.on_settled(self.outcome)
            except Exception:  # a defect of whoever asked must not stop the delivery of others
                log.exception("a request could not be told in a way nobody foresaw")


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
    waiting: bool = True
    """Whether it stands in its lane, or soon will: neither in flight nor settled."""
    settled: bool = False
    """Whether Kinesis has it, or it is known that it never will."""
