"""`headgate tail` of 64 shards that split and merge under load, with readers throttled and answers lost.

The fake's ledger is the judge: each record once, none missed, and every partition key in its order.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.forwarder import HEADGATE
from headgate.testing import CutAnswer, FailRequests, FakeKinesis, Limits, ResetConnection
from tests.acceptance.soak import SOAK
from tests.testing.asking import boto3_client

SECONDS = 60.0 if SOAK else 4.0
"""Of load. The ledger and what was printed are compared in memory, which an hour's would not fit into."""
PATIENCE = 60 + SECONDS
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * PATIENCE)]
SHARDS, FEWEST, MOST = 64, 40, 96
USERS = 1_000
LIMITS = Limits(
    # Writers are not in question here; readers are limited as Kinesis limits them.
    bytes_per_second=None,
    records_per_second=None,
    reads_per_second=5,
    read_bytes_per_second=2_000_000,
)
READING = ("GetRecords",)


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": SHARDS}, limits=LIMITS, seed=5) as kinesis:
        yield kinesis


@contextmanager
def meanwhile(work: Callable[[random.Random], None]) -> Iterator[None]:
    """Do something again and again, in a thread, until the end of the block."""
    over, chance, failed = threading.Event(), random.Random(7), list[Exception]()

    def work_on() -> None:
        try:
            while not over.is_set():
                work(chance)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed


def writing(kinesis: FakeKinesis) -> Callable[[random.Random], None]:
    client, sent = boto3_client(kinesis), defaultdict[str, int](int)

    def write(chance: random.Random) -> None:
        entries = []
        for _ in range(200):
            user = f"user-{chance.randrange(USERS):04}"
            sent[user] += 1
            event = {"type": "track", "userId": user, "messageId": f"{user}/{sent[user]}", "x": "x" * 300}
            entries.append({"Data": json.dumps(event), "PartitionKey": user})
        assert client.put_records(StreamName="events", Records=entries)["FailedRecordCount"] == 0

    return write


def resharding(kinesis: FakeKinesis) -> Callable[[random.Random], None]:
    def reshard(chance: random.Random) -> None:
        shards = kinesis.stream("events").open_shards
        at = chance.randrange(len(shards) - 1)
        if chance.random() < (MOST - len(shards)) / (MOST - FEWEST):
            kinesis.split("events", shards[at].shard_id)
        else:
            kinesis.merge("events", shards[at].shard_id, shards[at + 1].shard_id)
        time.sleep(0.05)  # twenty a second: ten are what an account may do (Kinesis developer guide)

    return reshard


def lines(output: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in output.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")
    ]


def judged(kinesis: FakeKinesis, output: Path) -> None:
    """Each record once, none missed, each partition key in its order."""
    found = lines(output)
    accepted = kinesis.ledger.records("events")
    assert len(found) == len(accepted)
    assert sorted((line["shardId"], line["sequenceNumber"]) for line in found) == sorted(
        (record.shard_id, record.sequence_number) for record in accepted
    )
    latest = defaultdict[str, int](int)
    for line in found:
        number = int(line["event"]["messageId"].partition("/")[2])
        assert number == latest[line["partitionKey"]] + 1
        latest[line["partitionKey"]] = number


def test_each_record_comes_once_through_splits_merges_throttling_and_lost_answers(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    environment = os.environ | kinesis.environment()
    following, errors = tmp_path / "following.jsonl", tmp_path / "errors"
    for fault in (
        FailRequests("ExpiredIteratorException", operations=READING, probability=0.02),
        FailRequests(
            "ProvisionedThroughputExceededException", operations=("GetShardIterator",), probability=0.1
        ),
        FailRequests("LimitExceededException", operations=("ListShards",), times=3),
        FailRequests("InternalFailure", operations=READING, probability=0.03),
        CutAnswer(operations=READING, probability=0.03),
        ResetConnection(operations=READING, probability=0.03, accepted=True),
    ):
        kinesis.faults.add(fault)
    command = [HEADGATE, "tail", "events", "--since", "trim-horizon"]
    with (
        following.open("wb") as output,
        errors.open("wb") as said,
        subprocess.Popen([*command, "--follow"], env=environment, stdout=output, stderr=said) as tail,
    ):
        try:
            with meanwhile(writing(kinesis)), meanwhile(resharding(kinesis)):
                time.sleep(SECONDS)
            accepted = len(kinesis.ledger.records("events"))
            deadline, printed = time.monotonic() + PATIENCE, 0
            with following.open("rb") as reading:
                while tail.poll() is None and printed < accepted:
                    assert time.monotonic() < deadline, "it does not catch up"
                    printed += reading.read().count(b"\n")
                    time.sleep(0.2)
            tail.send_signal(signal.SIGINT)
            assert (tail.wait(30), errors.read_text()) == (130, "")
        finally:
            tail.kill()
    judged(kinesis, following)
    assert len(kinesis.stream("events").shards) > SHARDS + SECONDS * 5
    assert kinesis.ledger.errors["ProvisionedThroughputExceededException"] > 0
    assert all(active.struck for active in kinesis.faults.active)

    # And afterwards, from the beginning to the end, all of it and one user's.
    kinesis.faults.clear()
    whole, one = tmp_path / "whole.jsonl", tmp_path / "one.jsonl"
    for output_path, options in ((whole, []), (one, ["--user-id", "user-0001", "--type", "track"])):
        with output_path.open("wb") as output:
            subprocess.run([*command, *options], env=environment, stdout=output, timeout=PATIENCE, check=True)
    judged(kinesis, whole)
    assert [line["event"]["messageId"] for line in lines(one)] == [
        record.message_id for record in kinesis.ledger.by_partition_key("events")["user-0001"]
    ]
