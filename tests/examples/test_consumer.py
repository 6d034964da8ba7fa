"""The example of a consumer: every event once, in order, across splits and merges."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from examples.consumer.consumer import Seen, events
from headgate.testing import FakeKinesis

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

CONSUMER = Path(__file__).parents[2] / "examples/consumer/consumer.py"


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    monkeypatch.setattr("examples.consumer.consumer.SECONDS_BETWEEN_READS", 0)
    with FakeKinesis(streams={"events": 2}) as fake:
        yield fake


@pytest.fixture
def client(kinesis: FakeKinesis) -> "KinesisClient":
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"}
    return boto3.client("kinesis", endpoint_url=kinesis.url, region_name="us-west-2", **keys)


def put(client: "KinesisClient", *numbers: int, users: int = 4) -> None:
    """Put events, one of each user for each number."""
    for number in numbers:
        client.put_records(
            StreamName="events",
            Records=[
                {
                    "Data": json.dumps({"messageId": f"{user}/{number}", "userId": f"user-{user}"}).encode(),
                    "PartitionKey": f"user-{user}",
                }
                for user in range(users)
            ],
        )


def of_user(found: list[str], user: int) -> list[str]:
    return [each for each in found if each.startswith(f"{user}/")]


def test_an_event_that_arrived_twice_is_given_once(client: "KinesisClient") -> None:
    put(client, 1, 2, 1, 3, 2)
    found = [event["messageId"] for event in events(client, "events")]
    assert len(found) == 12
    for user in range(4):
        assert of_user(found, user) == [f"{user}/1", f"{user}/2", f"{user}/3"]


def test_order_is_kept_while_shards_are_split_and_merged(
    kinesis: FakeKinesis, client: "KinesisClient"
) -> None:
    put(client, 1, 2)
    _, high = kinesis.split("events", "shardId-000000000000")
    put(client, 3, 4)
    kinesis.merge("events", high, "shardId-000000000001")
    put(client, 5)
    found = [event["messageId"] for event in events(client, "events")]
    for user in range(4):
        assert of_user(found, user) == [f"{user}/{number}" for number in range(1, 6)]


def test_it_follows_into_shards_that_come_while_it_reads(
    kinesis: FakeKinesis, client: "KinesisClient"
) -> None:
    put(client, 1)
    following = events(client, "events", follow=True)
    assert len(list(islice(following, 4))) == 4
    kinesis.split("events", "shardId-000000000000")
    kinesis.split("events", "shardId-000000000001")
    put(client, 1, 2)
    assert {event["messageId"] for event in islice(following, 4)} == {f"{user}/2" for user in range(4)}


def test_it_forgets_the_oldest_message_id_first() -> None:
    seen = Seen(most=2)
    assert [seen.is_new(each) for each in ("a", "b", "a", "c", "b", "a")] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_as_a_command_it_prints_json_lines(kinesis: FakeKinesis, client: "KinesisClient") -> None:
    put(client, 1, 1)
    printed = subprocess.run(
        [sys.executable, str(CONSUMER), "events"],
        env=os.environ | kinesis.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    assert sorted(json.loads(line)["messageId"] for line in printed.splitlines()) == [
        "0/1",
        "1/1",
        "2/1",
        "3/1",
    ]
