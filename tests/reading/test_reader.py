"""The reader against a stream in memory that closes, splits and throttles, as moto's does not."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from headgate.errors import AwsError
from headgate.reading import reader as reader_module
from headgate.reading.get_records import MOST_RECORDS, Answer, UnreadableAnswer
from headgate.reading.reader import StreamReader
from headgate.reading.record import Record

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class StreamInMemory:
    """A Kinesis client's three calls; iterators are `shard:position`, a page holds two records."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))
        self.shards: dict[str, dict[str, Any]] = {}
        self.records: dict[str, list[str]] = {}
        self.closed: set[str] = set()
        self.faults: list[Exception] = []
        self.starts: list[dict[str, Any]] = []
        self.filters: list[dict[str, Any]] = []
        self.before_listing: Callable[[], None] = lambda: None

    def add(self, shard_id: str, *keys: str, parents: tuple[str, ...] = ()) -> None:
        names = ("ParentShardId", "AdjacentParentShardId")
        self.shards[shard_id] = {"ShardId": shard_id, **dict(zip(names, parents, strict=False))}
        self.records[shard_id] = list(keys)
        self.closed.update(parents)

    def list_shards(
        self,
        StreamName: str | None = None,  # noqa: N803
        NextToken: str = "0",  # noqa: N803
        **filtered: Any,
    ) -> dict[str, Any]:
        assert (StreamName == "events") is (NextToken == "0")
        self.filters.append(filtered)
        self.before_listing()
        shards, at = list(self.shards.values()), int(NextToken)
        last = at + 1 >= len(shards)
        return {"Shards": shards[at : at + 1]} | ({} if last else {"NextToken": str(at + 1)})

    def get_shard_iterator(self, ShardId: str, **start: Any) -> dict[str, Any]:  # noqa: N803
        self.starts.append(start)
        position = int(start["StartingSequenceNumber"]) + 1 if "StartingSequenceNumber" in start else 0
        return {"ShardIterator": f"{ShardId}:{position}"}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        assert Limit == MOST_RECORDS
        if self.faults:
            raise self.faults.pop()
        shard, _, text = ShardIterator.partition(":")
        begin, end = int(text), int(text) + 2
        keys = self.records[shard][begin:end]
        left = len(self.records[shard][end:])
        at_end = shard in self.closed and not left
        records = [Record(str(begin + index), key, NOW.timestamp(), b"{}") for index, key in enumerate(keys)]
        following = None if at_end else f"{shard}:{begin + len(keys)}"
        return {"Decoded": Answer(records, 3_600_000 * left, following)}


def refusal(code: str, status: int = 400) -> ClientError:
    error: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(error, "GetRecords")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PAUSE_BEHIND", "_PAUSE_AT_TIP", "_PAUSE_BEFORE_LISTING"):
        monkeypatch.setattr(reader_module, name, 0.001)
    monkeypatch.setattr(reader_module, "_BACKOFF", (0.001, 0.01))


def read(stream: StreamInMemory, *, follow: bool = False, since: datetime | None = None) -> Iterator[Record]:
    reader = StreamReader(stream, "events", since=since, follow=follow)  # type: ignore[arg-type]
    for batch in reader.batches():
        yield from batch.records if batch else ()


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
    found = [next(batches) for _ in range(5)]
    assert all(batch is None or not batch.records for batch in found)
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
    stream.faults = [refusal(code) for _ in range(9)]
    assert keys(read(stream)) == ["1", "2", "3"]


def test_any_other_refusal_is_raised() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.faults = [refusal("AccessDeniedException")]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        keys(read(stream))


def test_an_expired_iterator_is_renewed_where_reading_stopped() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "2", "3", "4")
    records = read(stream)
    found = [next(records).partition_key]
    stream.faults = [refusal("ExpiredIteratorException")]
    assert found + keys(records) == ["1", "2", "3", "4"]
    assert stream.starts[-1]["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER"


def test_an_expired_iterator_with_nothing_read_begins_where_it_began() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.faults = [refusal("ExpiredIteratorException")]
    assert keys(read(stream, since=NOW)) == ["1"]
    assert [(start["ShardIteratorType"], start["Timestamp"]) for start in stream.starts] == [
        ("AT_TIMESTAMP", NOW)
    ] * 2


@pytest.mark.parametrize(
    "fault",
    [
        refusal("InternalFailure", 500),
        refusal("ServiceUnavailable", 503),
        ConnectionClosedError(endpoint_url="http://kinesis"),
        UnreadableAnswer(),
    ],
    ids=lambda fault: type(fault).__name__ + str(fault)[-20:],
)
def test_a_fault_that_may_pass_is_met_again_where_reading_stopped(fault: Exception) -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "2", "3")
    stream.faults = [fault] * 4
    assert keys(read(stream)) == ["1", "2", "3"]
    stream.faults = [fault] * 5
    with pytest.raises(AwsError if isinstance(fault, UnreadableAnswer) else type(fault)):
        keys(read(stream))


def test_throttling_in_between_does_not_make_a_fault_last() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    throttled = refusal("ProvisionedThroughputExceededException")
    stream.faults = [refusal("InternalFailure", 500), *[throttled] * 8]
    assert keys(read(stream)) == ["1"]


def test_what_is_waited_for_is_told_until_it_has_passed() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.faults = [ConnectionClosedError(endpoint_url="http://kinesis"), refusal("KMSThrottlingException")]
    reader = StreamReader(stream, "events", since=None, follow=True)  # type: ignore[arg-type]
    told = [reader.waits_for]
    for batch in reader.batches():
        told += [reader.waits_for] if reader.waits_for != told[-1] else []
        if batch is not None and batch.records:
            break
    assert told[0] is told[-1] is None
    assert set(told[1:-1]) <= {"KMSThrottlingException", "ConnectionClosedError"}
    assert len(told) > 2


def test_reading_goes_on_where_it_ended_before() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "2", "3")
    stream.add("b", "4")
    reader = StreamReader(stream, "events", since=NOW, follow=False, after={"a": "1"})  # type: ignore[arg-type]
    found = [record.partition_key for batch in reader.batches() if batch for record in batch.records]
    assert sorted(found) == ["3", "4"]


def test_a_shard_that_backs_off_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_BACKOFF", (60.0, 60.0))
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.add("b", "1", "1", "1", "1")
    stream.faults = [refusal("ProvisionedThroughputExceededException")]
    monkeypatch.setattr(reader_module, "PARALLEL_READS", 1)
    records = read(stream)
    assert [next(records).sequence_number for _ in range(4)] == ["0", "1", "2", "3"]
    records.close()  # type: ignore[attr-defined]


def test_children_that_are_listed_late_are_waited_for() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.closed.add("a")
    records = read(stream, follow=True)
    assert next(records).partition_key == "1"
    listings = iter(range(10))

    def add_late() -> None:
        if next(listings) == 3:
            stream.add("child", "2", parents=("a",))

    stream.before_listing = add_late
    assert next(records).partition_key == "2"
    records.close()  # type: ignore[attr-defined]


def test_a_shard_that_has_grown_too_old_meanwhile_is_passed_over() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "1", "1")
    stream.add("b", "2", parents=("a",))
    records = read(stream)
    found = [next(records).partition_key]
    stream.faults = [refusal("ResourceNotFoundException")]
    stream.before_listing = lambda: stream.shards.pop("a", None) and None
    assert found + keys(records) == ["1", "1", "2"]


def test_a_stream_that_is_deleted_meanwhile_ends_reading() -> None:
    stream = StreamInMemory()
    stream.add("a", "1", "1", "1")
    records = read(stream, follow=True)
    next(records)
    stream.faults = [refusal("ResourceNotFoundException")] * 2
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        keys(records)


def test_shards_that_were_closed_before_the_beginning_are_not_asked_for() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    keys(read(stream, since=NOW))
    keys(read(stream))
    assert stream.filters == [{"ShardFilter": {"Type": "FROM_TIMESTAMP", "Timestamp": NOW}}, {}]


def test_who_stops_reading_does_not_wait_for_an_answer_that_never_comes() -> None:
    stream = StreamInMemory()
    stream.add("a", "1")
    stream.add("b", "2")
    stuck, release, answered = threading.Event(), threading.Event(), threading.Event()
    answer = stream.get_records

    def get_records(ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        if ShardIterator.startswith("b"):
            stuck.set()
            release.wait(60)
            answered.set()
        return answer(ShardIterator, Limit)

    stream.get_records = get_records  # type: ignore[method-assign]
    records = read(stream, follow=True)
    assert next(records).partition_key == "1"
    assert stuck.wait(10)
    records.close()  # type: ignore[attr-defined]
    assert not answered.is_set()
    release.set()


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
    found = [record for batch in reader.batches() if batch for record in batch.records]
    assert 2 <= len(found) < 10
