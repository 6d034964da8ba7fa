"""boto3 works against it, all operations."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headgate.reading.reader import StreamReader
from headgate.testing import UNLIMITED, CutAnswer, FailRequests, FakeKinesis
from tests.testing.asking import boto3_client

ARN = "arn:aws:kinesis:us-west-2:123456789012:stream/"


@pytest.fixture
def boto(kinesis: FakeKinesis) -> Any:
    return boto3_client(kinesis)


def put(boto: Any, *keys: str, stream: str = "events") -> list[dict[str, Any]]:
    records = [{"Data": f"data of {key}".encode(), "PartitionKey": key} for key in keys]
    answer = boto.put_records(StreamName=stream, Records=records)
    assert answer["FailedRecordCount"] == 0
    return list(answer["Records"])


def read(boto: Any, shard_id: str, kind: str, stream: str = "events", **more: Any) -> dict[str, Any]:
    iterator = boto.get_shard_iterator(StreamName=stream, ShardId=shard_id, ShardIteratorType=kind, **more)[
        "ShardIterator"
    ]
    return dict(boto.get_records(ShardIterator=iterator))


def code_of(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**members)
    return str(refused.value.response["Error"]["Code"])


def test_records_are_put_by_name_and_by_arn_and_read_back(boto: Any) -> None:
    [first] = put(boto, "u1")
    second = boto.put_record(StreamARN=ARN + "events", Data=b"\x00\xff", PartitionKey="u1")
    assert second["ShardId"] == first["ShardId"]
    assert second["SequenceNumber"] > first["SequenceNumber"]
    answer = read(boto, first["ShardId"], "TRIM_HORIZON")
    assert [record["Data"] for record in answer["Records"]] == [b"data of u1", b"\x00\xff"]
    assert answer["Records"][1]["SequenceNumber"] == second["SequenceNumber"]
    assert answer["Records"][0]["PartitionKey"] == "u1"
    age = datetime.now(UTC) - answer["Records"][0]["ApproximateArrivalTimestamp"]
    assert abs(age.total_seconds()) < 60
    assert answer["MillisBehindLatest"] == 0


def test_another_account_s_or_region_s_arn_is_not_found(boto: Any) -> None:
    for arn in (ARN.replace("123456789012", "210987654321"), ARN.replace("us-west-2", "eu-west-1")):
        code = code_of(boto.put_record, StreamARN=arn + "events", Data=b"", PartitionKey="u1")
        assert code == "ResourceNotFoundException"


def test_a_shard_is_read_from_anywhere() -> None:
    now = [1_700_000_000.0]
    with FakeKinesis(streams={"events": 1}, clock=lambda: now[0]) as kinesis:
        boto, shard = boto3_client(kinesis), "shardId-000000000000"
        numbers = []
        for at in range(4):
            now[0] = 1_700_000_000.0 + at
            numbers += [each["SequenceNumber"] for each in put(boto, f"u{at}")]

        def keys(kind: str, **more: Any) -> list[str]:
            return [one["PartitionKey"] for one in read(boto, shard, kind, **more)["Records"]]

        assert keys("TRIM_HORIZON") == ["u0", "u1", "u2", "u3"]
        assert keys("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["u1", "u2", "u3"]
        assert keys("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["u2", "u3"]
        assert keys("AT_TIMESTAMP", Timestamp=1_700_000_001.5) == ["u2", "u3"]
        assert keys("LATEST") == []
        answer = boto.get_shard_iterator(StreamName="events", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        page = boto.get_records(ShardIterator=answer["ShardIterator"], Limit=3)
        assert (len(page["Records"]), page["MillisBehindLatest"]) == (3, 0)
        now[0] += 2
        page = boto.get_records(ShardIterator=answer["ShardIterator"], Limit=3)
        assert page["MillisBehindLatest"] == 2_000
        page = boto.get_records(ShardIterator=page["NextShardIterator"], Limit=3)
        assert (len(page["Records"]), page["MillisBehindLatest"]) == (1, 0)
        now[0] += 301
        assert (
            code_of(boto.get_records, ShardIterator=page["NextShardIterator"]) == "ExpiredIteratorException"
        )
        assert code_of(boto.get_records, ShardIterator="none") == "InvalidArgumentException"
        kind = {"ShardIteratorType": "AT_TIMESTAMP"}
        code = code_of(boto.get_shard_iterator, StreamName="events", ShardId=shard, **kind)
        assert code == "InvalidArgumentException"


def test_one_answer_carries_10_mib_at_most(kinesis: FakeKinesis, boto: Any) -> None:
    kinesis.create_stream("large", max_record_kib=10_240, limits=UNLIMITED)
    for _ in range(2):
        boto.put_record(StreamName="large", Data=b"x" * 6 * 2**20, PartitionKey="u")
    answer = read(boto, "shardId-000000000000", "TRIM_HORIZON", "large")
    assert len(answer["Records"]) == 1
    assert len(boto.get_records(ShardIterator=answer["NextShardIterator"])["Records"]) == 1


def test_shards_split_and_merge_and_readers_find_the_children(kinesis: FakeKinesis, boto: Any) -> None:
    put(boto, *(f"before-{at}" for at in range(20)))
    middle = 2**125
    boto.split_shard(StreamName="events", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(middle))
    boto.merge_shards(
        StreamARN=ARN + "events",
        ShardToMerge="shardId-000000000003",
        AdjacentShardToMerge="shardId-000000000002",
    )
    placed = {each["ShardId"] for each in put(boto, *(f"after-{at}" for at in range(40)))}
    assert placed == {f"shardId-{at:012d}" for at in (1, 4, 5, 6)}
    shards = {shard["ShardId"]: shard for shard in boto.list_shards(StreamName="events")["Shards"]}
    assert shards["shardId-000000000005"]["ParentShardId"] == "shardId-000000000000"
    assert shards["shardId-000000000005"]["HashKeyRange"]["StartingHashKey"] == str(middle)
    merged = shards["shardId-000000000006"]
    assert (merged["ParentShardId"], merged["AdjacentParentShardId"]) == (
        "shardId-000000000003", "shardId-000000000002",
    )  # fmt: skip
    assert "EndingSequenceNumber" in shards["shardId-000000000000"]["SequenceNumberRange"]
    assert "EndingSequenceNumber" not in merged["SequenceNumberRange"]
    end = read(boto, "shardId-000000000000", "TRIM_HORIZON")
    assert "NextShardIterator" not in end
    assert [child["ShardId"] for child in end["ChildShards"]] == [
        "shardId-000000000004",
        "shardId-000000000005",
    ]
    assert (
        code_of(
            boto.split_shard, StreamName="events", ShardToSplit="shardId-000000000000", NewStartingHashKey="9"
        )
        == "InvalidArgumentException"
    )
    assert (
        code_of(
            boto.split_shard, StreamName="events", ShardToSplit="shardId-000000000099", NewStartingHashKey="9"
        )
        == "ResourceNotFoundException"
    )
    reader = StreamReader(boto, "events", since=None, follow=False)
    assert sum(len(batch.records) for batch in reader.batches() if batch) == 60
    assert kinesis.ledger.totals().accepted_records == 60


def test_split_and_merge_from_the_test_itself(kinesis: FakeKinesis) -> None:
    low, high = kinesis.split("events", "shardId-000000000001")
    assert kinesis.merge("events", low, high) == "shardId-000000000006"
    assert kinesis.split("events", "shardId-000000000006", at=2**126 + 2)[0] == "shardId-000000000007"
    assert len(kinesis.stream("events").open_shards) == 5


def test_shards_are_listed_in_pages_and_filtered(kinesis: FakeKinesis, boto: Any) -> None:
    kinesis.create_stream("many", 25)
    first = boto.list_shards(StreamName="many", MaxResults=10)
    second = boto.list_shards(NextToken=first["NextToken"], MaxResults=10)
    third = boto.list_shards(NextToken=second["NextToken"], MaxResults=10)
    assert "NextToken" not in third
    listed = [shard["ShardId"] for page in (first, second, third) for shard in page["Shards"]]
    assert listed == [f"shardId-{at:012d}" for at in range(25)]
    kinesis.split("many", "shardId-000000000000")
    open_ones = boto.list_shards(StreamName="many", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert len(open_ones) == 26
    after = boto.list_shards(StreamName="many", ExclusiveStartShardId="shardId-000000000024")["Shards"]
    assert len(after) == 2
    for both in ({"StreamName": "many"}, {"StreamARN": ARN + "many"}):
        code = code_of(boto.list_shards, NextToken=first["NextToken"], **both)
        assert code == "InvalidArgumentException"
    assert code_of(boto.list_shards, NextToken="none") == "InvalidArgumentException"


def test_a_stream_is_made_described_and_removed(boto: Any) -> None:
    boto.create_stream(StreamName="new", ShardCount=3, MaxRecordSizeInKiB=2048)
    boto.get_waiter("stream_exists").wait(StreamName="new", WaiterConfig={"Delay": 0})
    summary = boto.describe_stream_summary(StreamName="new")["StreamDescriptionSummary"]
    assert summary["StreamARN"] == ARN + "new"
    assert (summary["OpenShardCount"], summary["MaxRecordSizeInKiB"]) == (3, 2048)
    assert (summary["StreamStatus"], summary["EncryptionType"]) == ("ACTIVE", "NONE")
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert len(boto.describe_stream(StreamName="new")["StreamDescription"]["Shards"]) == 3
    boto.update_max_record_size(StreamARN=ARN + "new", MaxRecordSizeInKiB=4096)
    summary = boto.describe_stream_summary(StreamARN=ARN + "new")["StreamDescriptionSummary"]
    assert summary["MaxRecordSizeInKiB"] == 4096
    assert code_of(boto.create_stream, StreamName="new", ShardCount=1) == "ResourceInUseException"
    boto.delete_stream(StreamName="new")
    assert code_of(boto.describe_stream_summary, StreamName="new") == "ResourceNotFoundException"


def test_an_on_demand_stream_and_an_encrypted_one_say_so(kinesis: FakeKinesis, boto: Any) -> None:
    boto.create_stream(StreamName="new", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = boto.describe_stream_summary(StreamName="new")["StreamDescriptionSummary"]
    assert (summary["StreamModeDetails"]["StreamMode"], summary["OpenShardCount"]) == ("ON_DEMAND", 4)
    kinesis.create_stream("sealed", key_id="alias/aws/kinesis")
    summary = boto.describe_stream_summary(StreamName="sealed")["StreamDescriptionSummary"]
    assert (summary["EncryptionType"], summary["KeyId"]) == ("KMS", "alias/aws/kinesis")
    assert boto.put_record(StreamName="sealed", Data=b"", PartitionKey="u")["EncryptionType"] == "KMS"


def test_a_new_stream_may_take_its_time() -> None:
    now = [1_000.0]
    with FakeKinesis(creation_seconds=20, clock=lambda: now[0]) as kinesis:
        boto = boto3_client(kinesis)
        boto.create_stream(StreamName="new", ShardCount=1)
        described = boto.describe_stream_summary(StreamName="new")["StreamDescriptionSummary"]
        assert described["StreamStatus"] == "CREATING"
        record = {"StreamName": "new", "Data": b"", "PartitionKey": "u"}
        assert code_of(boto.put_record, **record) == "ResourceNotFoundException"
        now[0] += 20
        assert boto.put_record(**record)["ShardId"] == "shardId-000000000000"


def test_operations_can_be_denied() -> None:
    with FakeKinesis(streams={"events": 1}, denied={"ListShards", "DescribeStreamSummary"}) as kinesis:
        boto = boto3_client(kinesis)
        assert code_of(boto.list_shards, StreamName="events") == "AccessDeniedException"
        assert code_of(boto.describe_stream_summary, StreamName="events") == "AccessDeniedException"
        put(boto, "u1")
        kinesis.identities.allow("ListShards")
        assert len(boto.list_shards(StreamName="events")["Shards"]) == 1


def test_boto3_does_not_notice_an_answer_that_was_cut(kinesis: FakeKinesis, boto: Any) -> None:
    with kinesis.faults.add(CutAnswer()):
        answer = boto.put_record(StreamName="events", Data=b"", PartitionKey="u")
    assert answer.keys() == {"ResponseMetadata"}
    assert len(kinesis.ledger.records()) == 1


def test_a_stream_disappears_and_returns(kinesis: FakeKinesis, boto: Any) -> None:
    with kinesis.faults.add(FailRequests("ResourceNotFoundException", stream="events")):
        assert code_of(boto.list_shards, StreamName="events") == "ResourceNotFoundException"
    put(boto, "u1")
    kinesis.delete_stream("events")
    assert code_of(boto.list_shards, StreamName="events") == "ResourceNotFoundException"
    kinesis.create_stream("events", 2)
    put(boto, "u1")
    assert len(kinesis.ledger.records("events")) == 2
