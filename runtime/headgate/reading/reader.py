"""Reads all shards of a stream at once, through splits and merges.

Records of one shard come in its order, and a shard begins only after its parents have ended, so a partition
key's records come in the order in which the stream has them. Shards among each other have no order.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from headgate.reading.record import Record
from headgate.shards import list_shards

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

T = TypeVar("T")

PARALLEL_READS = 32
"""Most shards that are being read at one instant; the others wait their turn."""

# A shard answers 5 GetRecords a second, all its readers together (quota in the Kinesis developer guide).
# Behind the tip a reader may take them all; at the tip, one a second leaves the rest to the consumers.
_PAUSE_BEHIND = 0.2
_PAUSE_AT_TIP = 1.0
_BACKOFF = (0.5, 10.0)

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
}


@dataclass(slots=True)
class _Cursor:
    """How far a shard has been read."""

    shard_id: str
    iterator: str | None = None
    last_sequence_number: str | None = None
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class _Answer:
    records: list[Record]
    millis_behind: int | None
    closed: bool = False


class StreamReader:
    """Reads a stream with ListShards, GetShardIterator and GetRecords.

    Args:
        kinesis: the client; it is used by several threads.
        stream_name: the stream.
        since: the instant to begin at, or `since.TRIM_HORIZON`.
        follow: go on at the tip and with shards that are made later; else each shard ends at its tip.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        kinesis: "KinesisClient",
        stream_name: str,
        *,
        since: datetime | None,
        follow: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinesis = kinesis
        self._stream_name = stream_name
        self._since = since
        self._follow = follow
        self._clock = clock
        self._shards: list[ShardTypeDef] = []
        self._known: set[str] = set()
        self._ended: set[str] = set()
        self._stopped = threading.Event()

    def batches(self) -> Iterator[Sequence[Record]]:
        """Yield records as they come; an empty batch, at least each second, when there are none.

        Raises:
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: an answer that waiting does
                not mend; throttling is waited for.
        """
        pool = ThreadPoolExecutor(PARALLEL_READS, thread_name_prefix="shard")
        try:
            yield from self._rounds(pool)
        finally:
            self._stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _rounds(self, pool: ThreadPoolExecutor) -> Iterator[Sequence[Record]]:
        began = self._clock()
        resting = self._next_shards()
        reading: dict[Future[_Answer], _Cursor] = {}
        while resting or reading:
            now = self._clock()
            reading |= {pool.submit(self._read, cursor): cursor for cursor in resting if cursor.due <= now}
            resting = [cursor for cursor in resting if cursor.due > now]
            pause = min([_PAUSE_AT_TIP, *(cursor.due - now for cursor in resting)])
            if reading:
                done, _ = wait(reading, pause, FIRST_COMPLETED)
            else:
                done = set()
                self._sleep(pause)
            if not done:
                yield ()
            for future in done:
                cursor, answer = reading.pop(future), future.result()
                yield answer.records
                at_end = not self._follow and _at_tip(answer, self._clock() - began)
                if answer.closed or at_end:
                    self._ended.add(cursor.shard_id)
                    resting += self._next_shards()
                else:
                    cursor.due = self._clock() + (_PAUSE_BEHIND if answer.millis_behind else _PAUSE_AT_TIP)
                    resting.append(cursor)

    def _next_shards(self) -> list[_Cursor]:
        """The shards that are new and whose parents have been read to their end, or are gone."""
        if self._follow or not self._shards:
            self._shards = self._patiently(lambda: list_shards(self._kinesis, self._stream_name))
        listed = {shard["ShardId"] for shard in self._shards}
        cursors = [
            _Cursor(shard["ShardId"])
            for shard in self._shards
            if shard["ShardId"] not in self._known
            and all(
                parent in self._ended or (parent not in listed and parent not in self._known)
                for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                if parent
            )
        ]
        self._known.update(cursor.shard_id for cursor in cursors)
        return cursors

    def _read(self, cursor: _Cursor) -> _Answer:
        iterator = cursor.iterator or self._patiently(lambda: self._iterator(cursor))
        try:
            answer = self._patiently(lambda: self._kinesis.get_records(ShardIterator=iterator))
        except self._kinesis.exceptions.ExpiredIteratorException:
            # It lives five minutes, and whoever reads our output may take longer.
            cursor.iterator = None
            return _Answer([], millis_behind=None)
        records = [_record(cursor.shard_id, record) for record in answer["Records"]]
        if records:
            cursor.last_sequence_number = records[-1].sequence_number
        cursor.iterator = answer.get("NextShardIterator")
        return _Answer(records, answer.get("MillisBehindLatest"), closed=cursor.iterator is None)

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

    def _patiently(self, call: Callable[[], T]) -> T:
        """Return what `call` returns once it is not throttled; waits longer each time, with jitter."""
        delay, longest = _BACKOFF
        while True:
            try:
                return call()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _THROTTLED:
                    raise
            self._sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(2 * delay, longest)

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise CancelledError


def _at_tip(answer: _Answer, elapsed: float) -> bool:
    """Whether all is read that was in the shard when reading began; AWS's clock alone is asked."""
    return answer.millis_behind is not None and answer.millis_behind <= 1000 * elapsed


def _record(shard_id: str, record: Mapping[str, Any]) -> Record:
    return Record(
        shard_id=shard_id,
        sequence_number=record["SequenceNumber"],
        partition_key=record["PartitionKey"],
        approximate_arrival_timestamp=record["ApproximateArrivalTimestamp"],
        data=record["Data"],
    )
