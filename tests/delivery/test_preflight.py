"""What is known of a destination before its records, from the fake: as far as the role may ask."""

from typing import Any

import botocore.session
import pytest
from botocore.credentials import ReadOnlyCredentials

from headgate.delivery.permissions import PUTS
from headgate.delivery.preflight import Found, Preflight, shards_of_slots
from headgate.delivery.target import Target
from headgate.testing import FakeKinesis

ROLE = "arn:aws:iam::111122223333:role/writer"
CREDENTIALS = ReadOnlyCredentials("AKIAEXAMPLE", "secret", "token", None)


def target(stream_name: str = "events") -> Target:
    return Target("src", "us-west-2", stream_name, ROLE, "src")


@pytest.fixture
def pointed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def at(kinesis: FakeKinesis) -> Preflight:
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        return Preflight(botocore.session.get_session())

    return at


async def test_a_stream_tells_its_shards_and_its_largest_record(pointed: Any) -> None:
    with FakeKinesis(streams={"events": 4}) as kinesis:
        kinesis.split("events", "shardId-000000000000")
        found = await pointed(kinesis).stream(target(), CREDENTIALS)
    assert found.max_record_kib == 1024
    assert len(found.shard_of_slot) == 256
    assert found.shard_of_slot[0] == "shardId-000000000004"
    assert found.shard_of_slot[255] == "shardId-000000000003"


async def test_a_stream_with_more_shards_than_a_page_holds_tells_all(pointed: Any) -> None:
    with FakeKinesis(streams={"events": 1_100}) as kinesis:
        found = await pointed(kinesis).stream(target(), CREDENTIALS)
        assert kinesis.ledger.calls["ListShards"] == 2
    assert found.shard_of_slot == {}, "every slot lies across several shards"


async def test_a_role_that_may_not_ask_is_told_from_a_stream_that_is_not_there(pointed: Any) -> None:
    with FakeKinesis(streams={"events": 1}, denied=("ListShards", "DescribeStreamSummary")) as kinesis:
        assert await pointed(kinesis).stream(target(), CREDENTIALS) is None
    with FakeKinesis() as kinesis:
        assert await pointed(kinesis).stream(target("missing"), CREDENTIALS) == Found()


async def test_permissions_are_allowed_denied_or_unknown(pointed: Any) -> None:
    with FakeKinesis(streams={"events": 1}) as kinesis:
        preflight = pointed(kinesis)
        assert set((await preflight.permissions(target(), CREDENTIALS)).values()) == {"unknown"}
        kinesis.identities.simulate({"kinesis:PutRecord": "allowed", "kinesis:PutRecords": "implicitDeny"})
        found = await preflight.permissions(target(), CREDENTIALS)
    assert found == {"kinesis:PutRecord": "allowed", "kinesis:PutRecords": "denied"}


async def test_without_a_role_nothing_is_asked(pointed: Any) -> None:
    own = Target("src", "us-west-2", "events", None, "src")
    with FakeKinesis(streams={"events": 1}) as kinesis:
        found = await pointed(kinesis).permissions(own, CREDENTIALS)
        assert not kinesis.ledger.calls
    assert found == dict.fromkeys(PUTS, "unknown")


def test_a_slot_across_two_shards_and_one_of_a_closed_shard_are_left_out() -> None:
    half = 2**127 + 2**119
    shards = [
        {"ShardId": "closed", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)},
         "SequenceNumberRange": {"StartingSequenceNumber": "1", "EndingSequenceNumber": "2"}},
        {"ShardId": "low", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(half - 1)}},
        {"ShardId": "high", "HashKeyRange": {"StartingHashKey": str(half), "EndingHashKey": str(2**128 - 1)}},
    ]  # fmt: skip
    found = shards_of_slots(shards)
    assert {slot for slot, shard in found.items() if shard == "low"} == set(range(128))
    assert {slot for slot, shard in found.items() if shard == "high"} == set(range(129, 256))
