"""The overflow queue and the dead letters of one process, as its options name them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.session import Session

from headgate.delivery.target import Target
from headgate.errors import UsageError
from headgate.metrics.store import Metrics
from headgate.overflow.burial import Burial
from headgate.overflow.dead_letters import DeadLetters, QueueDeadLetters
from headgate.overflow.drain import Deliverer, Drainer
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.overflow import Overflow
from headgate.overflow.queue import Queue, region_of


@dataclass(frozen=True, kw_only=True)
class RefugeOptions:
    """Where records go that Kinesis does not take.

    Raises:
        UsageError: an URL is none of a queue, or the options do not go together.
    """

    overflow_queue: str | None = None
    """The URL of an SQS queue for what cannot be delivered now."""
    dead_letter_queue: str | None = None
    """The URL of an SQS queue for what can never be delivered."""
    dead_letter_file: Path | None = None
    """A file for the same, instead of a queue."""

    def __post_init__(self) -> None:
        """Refuse what could not work before anything is served."""
        for url in filter(None, (self.overflow_queue, self.dead_letter_queue)):
            region_of(url)
        if self.dead_letter_queue is not None and self.dead_letter_file is not None:
            raise UsageError("give one of --dead-letter-queue and --dead-letter-file")
        if self.overflow_queue is not None and self.dead_letter_queue == self.overflow_queue:
            raise UsageError("--overflow-queue and --dead-letter-queue name one queue; give two")
        if self.overflow_queue is not None and not (self.dead_letter_queue or self.dead_letter_file):
            raise UsageError(
                "--overflow-queue needs --dead-letter-queue or --dead-letter-file beside it, "
                "for what is in it too long"
            )
        if self.dead_letter_file is not None and not self.dead_letter_file.absolute().parent.is_dir():
            raise UsageError(
                f"--dead-letter-file: there is no directory {str(self.dead_letter_file.parent)!r}"
            )


class Refuges:
    """Both, made inside the event loop; each is None where no option names it."""

    def __init__(self, session: Session, options: RefugeOptions, metrics: Metrics) -> None:
        self._metrics = metrics
        self._letters: DeadLetters | None = None
        if options.dead_letter_queue is not None:
            self._letters = QueueDeadLetters(Queue(session, options.dead_letter_queue, metrics), metrics)
        elif options.dead_letter_file is not None:
            self._letters = FileDeadLetters(options.dead_letter_file, metrics)
        self._queue = (
            Queue(session, options.overflow_queue, metrics) if options.overflow_queue is not None else None
        )
        self.overflow = Overflow(self._queue, metrics=metrics) if self._queue is not None else None
        self.burial = Burial(self._letters, lambda: datetime.now(UTC)) if self._letters is not None else None

    def drainer(self, delivery: Deliverer, targets: Callable[[], Collection[Target]]) -> Drainer | None:
        """Return what drains the overflow queue into `delivery`; None where there is no such queue."""
        if self._queue is None or self._letters is None:
            return None
        return Drainer(self._queue, self._letters, delivery, targets, metrics=self._metrics)

    async def close(self) -> None:
        """Wait until what is being spilled is told."""
        if self.overflow is not None:
            await self.overflow.close()
