"""Where records go that Kinesis does not take: into overflow for a while, or to the dead letters for good."""

from collections.abc import Callable, Sequence
from typing import Protocol

from headgate.delivery.submission import Refusal
from headgate.delivery.target import Target

Told = Callable[[bool], None]
"""Called once, later: whether all of it is safe."""


class Overflow(Protocol):
    """A queue for what Kinesis does not take in time."""

    def refuses(self, size: int) -> bool:
        """Return whether so many bytes more are too many now."""

    def spill(self, target: Target, records: Sequence[tuple[str, bytes]], told: Told) -> None:
        """Put records, partition key and data of each, into the queue."""


class DeadLetters(Protocol):
    """A store for what can never be delivered."""

    def bury(self, target: Target, record: tuple[str, bytes], why: Refusal, told: Told) -> None:
        """Keep a record, partition key and data, with the reason."""
