"""One request's records, from the moment they are queued until all of them are safe."""

from collections.abc import Callable
from dataclasses import dataclass, field


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


@dataclass(slots=True, eq=False)
class Submission:
    """Counts the records of one request that are not settled, and tells once when none is left."""

    on_settled: Callable[[Outcome], None]
    open_records: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    told: bool = False

    def settle(self, count: int = 1) -> None:
        """Note that `count` records are safe, or are noted in the outcome."""
        self.open_records -= count
        if self.open_records == 0:
            self.tell()

    def undeliverable(self, index: int, refusal: Refusal) -> None:
        """Note that an event can never be delivered."""
        self.outcome.undeliverable[index] = refusal
        self.settle()

    def fail(self, refusal: Refusal) -> None:
        """Give the request up: it is answered now, and records still in flight are only counted."""
        if not self.told:
            self.outcome.unavailable = refusal
            self.tell()

    def tell(self) -> None:
        """Hand over the outcome, once."""
        if not self.told:
            self.told = True
            self.on_settled(self.outcome)


@dataclass(slots=True, eq=False)
class Record:
    """One entry of PutRecords, and the request it belongs to."""

    partition_key: str
    data: bytes
    submission: Submission
    index: int
    """The event's index in its request."""

    @property
    def size(self) -> int:
        """Bytes that count against Kinesis' limits: data and partition key."""
        return len(self.data) + len(self.partition_key.encode())
