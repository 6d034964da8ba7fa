"""What becomes of what Kinesis does not take: it is spilled or buried, or else its request is answered so."""

from collections.abc import Callable, Sequence

from headgate.delivery.refuge import DeadLetters, Overflow
from headgate.delivery.submission import Refusal, Submission
from headgate.delivery.target import Data, Target

NOT_SPILLED = Refusal("not_spilled", "neither Kinesis nor the overflow queue takes events; send again", 5)
NOT_BURIED = Refusal("not_buried", "the store for dead letters takes none; send again", 5)


class Rescue:
    """Finds another safe place for records, where there is one.

    Args:
        overflow: where records wait that cannot be delivered now; without it their requests are given up.
        dead_letters: where records go that never can be; without it their events are named in the answer.
        count: told of each record that can never be delivered, by its destination's name.
    """

    def __init__(
        self, overflow: Overflow | None, dead_letters: DeadLetters | None, count: Callable[[str], None]
    ) -> None:
        self._overflow = overflow
        self._dead_letters = dead_letters
        self._count = count

    def takes(self, target: Target, portion: Sequence[Data]) -> bool:
        """Return whether a destination's part of a new request may be spilled at once.

        Records that went through overflow have no order, so what is strict never goes there.
        """
        size = sum(len(data.data) + len(data.partition_key) for data in portion)
        return self._overflow is not None and not target.strict and not self._overflow.refuses(size)

    def spill(self, submission: Submission, target: Target, portion: Sequence[Data]) -> None:
        """Spill a destination's part of a request; the request waits for it as for one more record."""
        records = [(data.partition_key, data.data) for data in portion]
        self._spill(submission, target, records, NOT_SPILLED)

    def strand(self, submission: Submission, refusal: Refusal) -> None:
        """Spill all of a request that is not safe, or give it up where that cannot be.

        What is being spilled or buried already tells in its own time, and that is short.
        """
        if submission.told or submission.given_up:
            return
        unsafe = submission.unsafe()
        if not unsafe:
            return
        size = sum(record.size for _, records in unsafe for record in records)
        if (
            self._overflow is None
            or submission.drained
            or any(target.strict for target, _ in unsafe)
            or self._overflow.refuses(size)
        ):
            submission.fail(refusal)
            return
        for target, records in submission.rescue():
            self._spill(submission, target, records, refusal)

    def bury(
        self, submission: Submission, target: Target, record: Data, why: Refusal, *, settled: bool
    ) -> None:
        """Keep a record that can never be delivered, or note that it is none.

        Args:
            submission: its request, which waits for it.
            target: where it was bound for.
            record: the record.
            why: what Kinesis said, or would say.
            settled: whether the request has counted it among what it waits for.
        """
        self._count(target.name)
        if submission.given_up:
            return  # its copy in overflow will be found out the same way
        if not settled:
            submission.open_records += 1
        if self._dead_letters is None:
            submission.undeliverable(record.number, why)
            return
        letter = (record.partition_key, record.data)
        self._dead_letters.bury(target, letter, why, lambda safe: _close(submission, NOT_BURIED, safe=safe))

    def _spill(
        self, submission: Submission, target: Target, records: Sequence[tuple[str, bytes]], refusal: Refusal
    ) -> None:
        assert self._overflow is not None  # noqa: S101  # the callers have asked it
        submission.open_records += 1
        self._overflow.spill(target, records, lambda safe: _close(submission, refusal, safe=safe))


def _close(submission: Submission, refusal: Refusal, *, safe: bool) -> None:
    if safe:
        submission.close()
    else:
        submission.fail(refusal)
