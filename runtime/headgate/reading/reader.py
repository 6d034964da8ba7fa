"""Reads all shards of a stream at once, through splits and merges.

Records of one shard come in its order, and a shard begins only after its parents have ended, so a partition
key's records come in the order in which the stream has them. Shards among each other have no order.
"""

import heapq
import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from headgate import backoff
from headgate.clients import code_of
from headgate.errors import AwsError
from headgate.hands import Hands
from headgate.reading.get_records import MOST_RECORDS, Answer, GetRecords, UnreadableAnswer
from headgate.reading.lineage import Lineage
from headgate.reading.record import Record
from headgate.shards import SHARD_BYTES_OUT_PER_SECOND, list_shards

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

PARALLEL_READS = 16
"""Most shards that are being read at one instant; the others wait their turn."""

# A shard answers 5 GetRecords and 2 MB a second, all its readers together (quotas in the Kinesis developer
# guide). Behind the tip a reader may take all of it; at the tip, one call a second leaves the rest to the
# consumers.
_PAUSE_BEHIND = 0.2
_PAUSE_AT_TIP = 1.0
_PAUSE_BEFORE_LISTING = 1.0
_BACKOFF = (0.5, 10.0)
_TRIES = 5
"""How often what may be a passing fault is met, by one shard and in a row, before it is none: a minute or so,
with the attempts that boto3 makes each time. Throttling is waited for as long as it lasts."""

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one shard, in their order."""

    shard_id: str
    records: Sequence[Record]
    millis_behind: int | None
    """How far what comes next in the shard is behind its tip; 0 at the tip; None where nobody said."""


@dataclass(slots=True, order=True)
class _Cursor:
    """How far a shard has been read."""

    due: float
    """When it may be read next."""
    shard_id: str
    iterator: str | None = field(default=None, compare=False)
    last_sequence_number: str | None = field(default=None, compare=False)
    failures: int = field(default=0, compare=False)
    """How often in a row reading failed, throttling with it."""
    faults: int = field(default=0, compare=False)
    """How often in a row it failed otherwise."""


@dataclass(frozen=True, slots=True)
class _Read:
    answer: Answer
    asked_at: float


class StreamReader:
    """Reads a stream with ListShards, GetShardIterator and GetRecords.

    Args:
        kinesis: the client; it is used by several threads, and for nothing else from then on.
        stream_name: the stream.
        since: the instant to begin at, or `since.TRIM_HORIZON`.
        follow: go on at the tip and with shards that are made later; else each shard ends at its tip.
        after: where reading goes on in shards of which something was read before: the sequence number of the
            last record. `since` stands for the others.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        kinesis: "KinesisClient",
        stream_name: str,
        *,
        since: datetime | None,
        follow: bool,
        after: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinesis = kinesis
        self._get_records = GetRecords(kinesis)
        self._stream_name = stream_name
        self._since = since
        self._follow = follow
        self._after = after or {}
        self._clock = clock
        self._waits: dict[str, str] = {}
        self._lineage = Lineage()
        self._resting: list[_Cursor] = []

    @property
    def waits_for(self) -> str | None:
        """The fault that has to pass before a shard is read on, by AWS's code; None while all are read."""
        return next(iter(self._waits.values()), None)

    def batches(self) -> Iterator[Batch | None]:
        """Yield records as they come; None, at least each second, when there are none.

        A shard is asked for more only once its last batch has been used, so whoever is slow is not drowned.

        Raises:
            AwsError: answers cannot be read, again and again.
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: a fault that waiting does not
                mend, or did not; throttling is waited for.
        """
        hands = Hands(self._read, PARALLEL_READS)
        try:
            yield from self._rounds(hands)
        finally:
            hands.close()

    def _rounds(self, hands: "Hands[_Cursor, _Read]") -> Iterator[Batch | None]:
        began = self._clock()
        list_at = began
        self._list()
        while self._resting or hands.busy or (self._follow and self._lineage.awaits_children):
            now = self._clock()
            if self._follow and self._lineage.awaits_children and now >= list_at:
                self._list()
                list_at = self._clock() + _PAUSE_BEFORE_LISTING
            while self._resting and self._resting[0].due <= now and hands.free:
                hands.give(heapq.heappop(self._resting))
            wait = self._resting[0].due - now if self._resting and hands.free else _PAUSE_AT_TIP
            done = hands.next(min(wait, _PAUSE_AT_TIP))
            if done is None:
                yield None
                continue
            cursor, read = done
            if isinstance(read, Exception):
                self._failed(cursor, read)
                continue
            cursor.failures = cursor.faults = 0
            self._waits.pop(cursor.shard_id, None)
            answer = read.answer
            yield Batch(cursor.shard_id, answer.records, answer.millis_behind_latest)
            closed = answer.next_shard_iterator is None
            if closed or not (self._follow or _goes_on(answer, read.asked_at - began)):
                self._end(cursor, closed=closed)
            else:
                self._rest(cursor, _pause_after(answer))

    def _list(self) -> None:
        """Take in the shards that there are now."""
        for failures in itertools.count(1):
            try:
                shards = list_shards(self._kinesis, self._stream_name, since=self._since)
            except ClientError as error:
                if code_of(error) not in _THROTTLED:
                    raise
                time.sleep(_wait_after(failures))
            else:
                self._lineage.update(shards)
                self._begin()
                return

    def _begin(self) -> None:
        """Put those shards beside the others that may be read by now."""
        for shard_id in self._lineage.ready():
            after = self._after.get(shard_id)
            heapq.heappush(self._resting, _Cursor(self._clock(), shard_id, last_sequence_number=after))

    def _end(self, cursor: _Cursor, *, closed: bool) -> None:
        self._waits.pop(cursor.shard_id, None)
        self._lineage.end(cursor.shard_id, closed=closed)
        self._begin()

    def _rest(self, cursor: _Cursor, seconds: float) -> None:
        cursor.due = self._clock() + seconds
        heapq.heappush(self._resting, cursor)

    def _failed(self, cursor: _Cursor, error: Exception) -> None:
        """Let a shard rest after a fault that may pass, so that the others go on; raise any other."""
        code = _code(error)
        if code == "ExpiredIteratorException":
            # It lives five minutes, and whoever reads our output may take longer.
            cursor.iterator = None
        elif code == "ResourceNotFoundException":
            self._gone(cursor, error)
            return
        else:
            self._waits[cursor.shard_id] = code or type(error).__name__
            if code not in _THROTTLED:
                cursor.faults += 1
                if not _may_pass(error) or cursor.faults >= _TRIES:
                    raise _told(error, cursor)
        cursor.failures += 1
        self._rest(cursor, _wait_after(cursor.failures))

    def _gone(self, cursor: _Cursor, error: Exception) -> None:
        """End a shard that has become older than the stream's retention before its turn came."""
        self._list()
        if self._lineage.has(cursor.shard_id):
            raise error
        self._end(cursor, closed=False)

    # In a thread of its own.

    def _read(self, cursor: _Cursor) -> _Read:
        if cursor.iterator is None:
            cursor.iterator = self._iterator(cursor)
        asked_at = self._clock()
        answer = self._get_records(cursor.iterator)
        if answer.records:
            cursor.last_sequence_number = answer.records[-1].sequence_number
        cursor.iterator = answer.next_shard_iterator
        return _Read(answer, asked_at)

    def _iterator(self, cursor: _Cursor) -> str:
        start: dict[str, Any]
        if cursor.last_sequence_number is not None:
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": cursor.last_sequence_number,
            }
        elif self._since is not None:
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self._since}
        else:
            start = {"ShardIteratorType": "TRIM_HORIZON"}
        return self._kinesis.get_shard_iterator(
            StreamName=self._stream_name, ShardId=cursor.shard_id, **start
        )["ShardIterator"]


def _goes_on(answer: Answer, elapsed: float) -> bool:
    """Whether a shard may hold more of what was in it when reading began.

    AWS's clock alone is asked for the instant, and ours, since before the request was sent, for the time that
    has gone by since reading began.
    """
    behind = answer.millis_behind_latest
    return behind is None or behind > 1000 * elapsed or len(answer.records) >= MOST_RECORDS


def _pause_after(answer: Answer) -> float:
    if not answer.millis_behind_latest:
        return _PAUSE_AT_TIP
    read = sum(len(record.data) for record in answer.records)
    return max(_PAUSE_BEHIND, read / SHARD_BYTES_OUT_PER_SECOND)


def _wait_after(failures: int) -> float:
    first, longest = _BACKOFF
    return backoff.seconds(failures, random.random(), first=first, longest=longest)  # noqa: S311


def _code(error: Exception) -> str:
    return code_of(error) if isinstance(error, ClientError) else ""


def _may_pass(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(error, HTTPClientError | NotConnected | UnreadableAnswer)


def _told(error: Exception, cursor: _Cursor) -> Exception:
    if isinstance(error, UnreadableAnswer):
        return AwsError(f"{cursor.shard_id}: {cursor.faults} answers in a row cannot be read")
    return error
