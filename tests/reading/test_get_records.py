"""GetRecords, decoded by us, over boto3's client and the fake's wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headgate.reading.get_records import GetRecords, UnreadableAnswer
from headgate.testing import CutAnswer, FailRequests, FakeKinesis
from tests.testing.asking import boto3_client


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 1}) as kinesis:
        yield kinesis


@pytest.fixture
def boto(kinesis: FakeKinesis) -> Any:
    client = boto3_client(kinesis)
    for number in range(3):
        client.put_record(StreamName="events", Data=b"\x00\xff" * number, PartitionKey=f"Zoë-{number}")
    return client


def iterator(boto: Any) -> str:
    shard = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    return str(boto.get_shard_iterator(StreamName="events", **shard)["ShardIterator"])


def test_it_reads_what_boto3_reads(boto: Any) -> None:
    at = iterator(boto)
    theirs = boto.get_records(ShardIterator=at)
    ours = GetRecords(boto)(at)
    assert [
        {
            "SequenceNumber": record.sequence_number,
            "PartitionKey": record.partition_key,
            "ApproximateArrivalTimestamp": record.arrival,
            "Data": record.data,
            "EncryptionType": "NONE",
        }
        for record in ours.records
    ] == theirs["Records"]
    assert ours.millis_behind_latest == theirs["MillisBehindLatest"] == 0
    assert ours.next_shard_iterator is not None


def test_the_end_of_a_shard_has_no_next_iterator(kinesis: FakeKinesis, boto: Any) -> None:
    kinesis.split("events", "shardId-000000000000")
    answer = GetRecords(boto)(iterator(boto))
    assert (len(answer.records), answer.next_shard_iterator) == (3, None)


def test_a_refusal_is_boto3_s(kinesis: FakeKinesis, boto: Any) -> None:
    at = iterator(boto)
    kinesis.faults.add(FailRequests("ExpiredIteratorException", operations=("GetRecords",)))
    with pytest.raises(ClientError) as refused:
        GetRecords(boto)(at)
    assert refused.value.response["Error"]["Code"] == "ExpiredIteratorException"


def test_an_answer_that_was_cut_is_no_end_of_a_shard(kinesis: FakeKinesis, boto: Any) -> None:
    """boto3 itself takes it for an answer without members, so without a next iterator."""
    at, get_records = iterator(boto), GetRecords(boto)
    with kinesis.faults.add(CutAnswer(operations=("GetRecords",))) as cut, pytest.raises(UnreadableAnswer):
        get_records(at)
    assert cut.struck == 1
    assert len(get_records(at).records) == 3
