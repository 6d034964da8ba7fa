"""A lock in S3: an object that says who holds it, put on the condition that it is still what was read.

The holder puts it again every few seconds. Where it has not for a minute, by S3's own clock, whoever comes
takes it over; the holder itself stops long before, by a clock of its own that goes on while the machine
sleeps. Neither needs the other's clock to be right. Should a holder sleep between its look at the clock and a
call, the state is still safe, since documents are replaced on condition, and so is the stream: what it sends
is what its successor sends too, under the same message IDs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from headgate.audiences import holder
from headgate.audiences.bucket import Bucket, ConditionFailed
from headgate.errors import AwsError, BusyError

BEAT_SECONDS = 10.0
"""Between two signs of life."""
TRUST_SECONDS = 40.0
"""After its last sign of life the holder itself counts on the lock for so long."""
STALE_SECONDS = 60.0
"""After its last sign of life others take the lock over."""

_LONGEST_BEAT_SECONDS = 5.0
"""The end does not wait longer for a sign of life that is on its way."""

Clock = Callable[[], float]


def time_awake_or_not() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where there is one."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boottime) if boottime is not None else time.monotonic()


class S3Lock:
    """A lock that this process holds, until it cannot say in time that it is alive.

    Args:
        bucket: where it is.
        key: the object's key.
        what: what it locks, for messages.
        clock: seconds, of a clock that never stands still.
    """

    def __init__(self, bucket: Bucket, key: str, what: str, clock: Clock = time_awake_or_not) -> None:
        self._bucket = bucket
        self._key = key
        self._what = what
        self._clock = clock
        self._me = holder.this_process()
        self._etag = ""
        self._alive = 0.0
        self._lost = False

    def take(self) -> None:
        """Take the lock: one that nobody holds, or whose holder is dead.

        Raises:
            BusyError: another holds it.
            AwsError: S3 refused, or could not be reached.
        """
        there = self._bucket.get(self._key)
        if there is not None:
            other = holder.read(there.content)
            if not (other is not None and other.released) and there.age < STALE_SECONDS:
                seen = f"last seen {max(there.age, 0):.0f} s ago; one that died is taken over after"
                raise BusyError(f"{holder.told(self._what, other)} ({seen} {STALE_SECONDS:.0f} s)")
        begun, said = self._clock(), msgspec.json.encode(self._me)
        try:
            self._etag = self._bucket.put(self._key, said, there.etag if there is not None else None)
        except ConditionFailed:
            raise BusyError(holder.told(self._what, None)) from None
        self._alive = begun

    def beat(self) -> None:
        """Say that this process is alive.

        Raises:
            BusyError: another has taken the lock over.
            AwsError: S3 refused, or could not be reached; the lock is still held for a while.
        """
        begun = self._clock()
        self._me = msgspec.structs.replace(self._me, beat=self._me.beat + 1)
        try:
            self._put()
        except ConditionFailed:
            self._lost = True
            raise BusyError(self._taken()) from None
        self._alive = begun

    def check(self) -> None:
        """Do nothing while the lock is held for sure; see `Lock`."""
        if self._lost or self._clock() - self._alive >= TRUST_SECONDS:
            raise BusyError(self._taken())

    def release(self) -> None:
        """Let others have it at once."""
        self._me = msgspec.structs.replace(self._me, beat=self._me.beat + 1, released=True)
        # Where this fails the lock is another's already, or will be soon.
        with suppress(ConditionFailed, AwsError):
            self._put()

    def _put(self) -> None:
        said = msgspec.json.encode(self._me)
        try:
            self._etag = self._bucket.put(self._key, said, self._etag)
        except ConditionFailed:
            # A sign of life may have arrived though its answer did not.
            there = self._bucket.get(self._key)
            other = holder.read(there.content) if there is not None else None
            if there is None or other is None or other.id != self._me.id:
                raise
            self._etag = self._bucket.put(self._key, said, there.etag)

    def _taken(self) -> str:
        quiet = self._clock() - self._alive
        return (
            f"{self._what}: its lock in S3 was lost {quiet:.0f} s after its last sign of life; start it again"
        )


@contextmanager
def locked(bucket: Bucket, key: str, what: str) -> Iterator[S3Lock]:
    """Hold a lock, with a thread that keeps it: DuckDB's work and uploads hold up everything else."""
    lock = S3Lock(bucket, key, what)
    lock.take()
    over = threading.Event()

    def keep() -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                lock.beat()
            except BusyError:
                return
            except AwsError:
                continue

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield lock
    finally:
        over.set()
        keeper.join(_LONGEST_BEAT_SECONDS)
        lock.release()
