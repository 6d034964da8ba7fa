"""The reader against a stream in memory that closes, splits and throttles, as moto's does not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headgate.reading import reader as reader_module
from headgate.reading.reader import StreamReader
from headgate.reading.record import Record

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class StreamInMemory:
    """A Kinesis client's three calls; iterators are `shard:position`, a page holds two records."""

    exceptions = boto3.client("kinesis", region_name="us-west-2").exceptions

    def __init__(self) -> None:
        self.shards: dict[str, dict[str, Any]] = {}
        self.records: dict[str, list[str]] = {}
        self.closed: set[str] = set()
        self.faults: list[str] = []
        self.starts: list[dict[str, Any]] = []

    def add(self, shard_id: str, *keys: str, parents: tuple[str, ...] = ()) -> None:
        names = ("ParentShardId", "AdjacentParentShardId")
        self.shards[shard_id] = {"ShardId": shard_id, **dict(zip(names, parents, strict=False))}
        self.records[shard_id] = list(keys)
        self.closed.update(parents)

    def list_shards(
        self,
        StreamName: str | None = None,  # noqa: N803
        NextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        assert (StreamName == "events") is (NextToken == "0")
        shards, at = list(self.shards.values()), int(NextToken)
        last = at + 1 >= len(shards)
        return {"Shards": shards[at : at + 1]} | ({} if last else {"NextToken": str(at + 1)})

    def get_shard_iterator(self, ShardId: str, **start: Any) -> dict[str, Any]:  # noqa: N803
        self.starts.append(start)
        position = int(start["StartingSequenceNumber"]) + 1 if "StartingSequenceNumber" in start else 0
        return {"ShardIterator": f"{ShardId}:{position}"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        if self.faults:
            code = self.faults.pop()
            error = {"Error": {"Code": code, "Message": "no"}}
            raise getattr(self.exceptions, code, ClientError)(error, "GetRecords")
        shard, _, text = ShardIterator.partition(":")
        begin, end = int(text), int(text) + 2
        keys = self.records[shard][begin:end]
        left = len(self.records[shard][end:])
        at_end = shard in self.closed and not left
        return {
            "Records": [
                {
                    "SequenceNumber": str(begin + index),
                    "PartitionKey": key,
                    "ApproximateArrivalTimestamp": NOW,
                    "Data": b"{}",
                }
                for index, key in enumerate(keys)
            ],
            "NextShardIterator": None if at_end else f"{shard}:{begin + len(keys)}",
            "MillisBehindLatest": 3_600_000 * left,
        }


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PAUSE_BEHIND", "_PAUSE_AT_TIP"):
        monkeypatch.setattr(reader_module, name, 0.001)
    monkeypatch.setattr(reader_module, "_BACKOFF", (0.001, 0.01))


def read(stream: StreamInMemory, *, follow: bool = False, since: datetime | None = None) -> Iterator[Record]:
    reader = StreamReader(stream, "events", since=since, follow=follow)  # type: ignore[arg-type]
    for batch in reader.batches():
        yield from batch


def keys(records: Iterator[Record]) -> list[str]:
    return [record.partition_key for record in records]


def test_each_shard_is_read_in_its_order_up_to_its_tip() -> None:
    stream = StreamInMemory()
    stream.add("a", "a1", "a2", "a3", "a4", "a5")
    stream.add("b")
    stream.add("c", "c1", "c2", "c3")
    found = keys(read(stream))
    assert [key for key in found if key[0] == "a"] == ["a1", "a2", "a3", "a4", "a5"]
    assert [key for key in found if key[0] == "c"] == ["c1", "c2", "c3"]
    assert len(found) == 8


def test_children_come_after_all_of_their_parents() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "1")
    stream.add("b", *["1"] * 9)
    stream.add("merged", "2", "2", "2", parents=("a", "b"))
    stream.add("left", "3", parents=("merged",))
    stream.add("right", "3", "3", parents=("merged",))
    stream.add("orphan", "1", parents=("long gone",))
    found = keys(read(stream))
    assert found == sorted(found)
    assert len(found) == 18


def test_following_goes_on_into_shards_that_are_made_meanwhile() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    records = read(stream, follow=True)
    assert next(records).partition_key == "1"
    stream.records["a"].append("2")
    stream.add("left", "3", parents=("a",))
    stream.add("right", "3", parents=("a",))
    assert [next(records).partition_key for _ in range(3)] == ["2", "3", "3"]
    stream.records["right"].append("4")
    assert next(records).partition_key == "4"
    records.close()  # type: ignore[attr-defined]


def test_a_quiet_stream_yields_empty_batches_so_that_its_reader_can_look_up() -> None:
    stream = StreamInMemory()
    stream.add("a")
    batches = StreamReader(stream, "events", since=None, follow=True).batches()  # type: ignore[arg-type]
    assert [len(next(batches)) for _ in range(5)] == [0] * 5
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "KMSThrottlingException",
        "ThrottlingException",
    ],
)
def test_throttling_is_waited_for(code: str) -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "2", "3")
    stream.faults = [code] * 4
    assert keys(read(stream)) == ["1", "2", "3"]


def test_any_other_refusal_is_raised() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.faults = ["AccessDeniedException"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        keys(read(stream))


def test_an_expired_iterator_is_renewed_where_reading_stopped() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "2", "3", "4")
    records = read(stream)
    found = [next(records).partition_key]
    stream.faults = ["ExpiredIteratorException"]
    assert found + keys(records) == ["1", "2", "3", "4"]
    assert stream.starts[-1]["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER"


def test_an_expired_iterator_with_nothing_read_begins_where_it_began() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.faults = ["ExpiredIteratorException"]
    assert keys(read(stream, since=NOW)) == ["1"]
    assert [(start["ShardIteratorType"], start["Timestamp"]) for start in stream.starts] == [
        ("AT_TIMESTAMP", NOW)
    ] * 2


def test_without_following_the_end_is_what_was_there_at_the_start() -> None:
    """A writer that is always ahead of the reader must not keep a plain `tail` going for ever."""
    stream = StreamInMemory()
    stream.add("a", *["1"] * 10)
    clock = iter(range(0, 10**9, 3600 * 2))
    reader = StreamReader(
        stream,  # type: ignore[arg-type]
        "events",
        since=None,
        follow=False,
        clock=lambda: float(next(clock)),
    )
    found = [record for batch in reader.batches() for record in batch]
    assert 2 <= len(found) < 10
