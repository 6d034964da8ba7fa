"""Where somebody's letters are, as options name it: a file, or a queue of either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.session import Session

from headgate.errors import AwsError, HeadgateError
from headgate.overflow.queue import Queue, QueueFault
from headgate.overflow.stores import LETTERS, RECORDS, FileStore, QueueStore, Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where the letters are; one is given."""

    dead_letter_queue: str | None = None
    """The URL of the queue of the dead letters."""
    dead_letter_file: Path | None = None
    """The file of the dead letters."""
    overflow_queue: str | None = None
    """The URL of the overflow queue."""

    @property
    def name(self) -> str:
        """How messages call it: the path of a file, the name of a queue."""
        if self.dead_letter_file is not None:
            return str(self.dead_letter_file)
        return (self.overflow_queue or self.dead_letter_queue or "").rpartition("/")[2]

    @property
    def hides(self) -> bool:
        """Whether letters that are looked at are hidden from others meanwhile, as those of a queue are."""
        return self.dead_letter_file is None

    def store(self, session: Session, per_second: int | None = None) -> Store:
        """Return the store, which is not open yet. It may block.

        Args:
            session: for a queue.
            per_second: records that are sent a second at most: of a file no more is then sent twice.

        Raises:
            UsageError: the URL is none of a queue, or no region is known.
        """
        if self.dead_letter_file is not None:
            return FileStore(self.dead_letter_file, per_second)
        if self.overflow_queue is not None:
            return QueueStore(Queue(session, self.overflow_queue), RECORDS)
        return QueueStore(Queue(session, self.dead_letter_queue or ""), LETTERS)

    @contextmanager
    def faults_in_one_line(self) -> Iterator[None]:
        """Turn what its store raises into an error of ours that names it.

        Raises:
            AwsError: the queue cannot be read.
            HeadgateError: the file cannot be read or written.
        """
        try:
            yield
        except QueueFault as fault:
            raise AwsError(f"the queue {self.name!r} cannot be read: {fault}") from None
        except OSError as fault:
            raise HeadgateError(f"{self.name}: {(fault.strerror or str(fault)).lower()}") from None
