"""`headgate shards`, in a pipe and on a terminal, against the fake."""

import json
import os
import pty
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from demo.forwarder import HEADGATE
from headgate.cli.shards import shards
from headgate.errors import AwsError, UsageError
from headgate.reading.load import hash_key
from headgate.testing import UNLIMITED, FakeKinesis
from tests.testing.asking import boto3_client


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 4}, limits=UNLIMITED) as kinesis:
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        yield kinesis


def put(kinesis: FakeKinesis, *keys: str, size: int = 100) -> None:
    client = boto3_client(kinesis)
    records = [{"Data": b"x" * size, "PartitionKey": key} for key in keys]
    for at in range(0, len(records), 500):
        client.put_records(StreamName="events", Records=records[at : at + 500])


def users_in_the_first_shard(count: int) -> list[str]:
    users = (f"user-{number}" for number in range(100 * count))
    return [user for user in users if hash_key(user) < 2**126][:count]


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_in_a_pipe_a_line_of_each_shard_then_one_of_each_advice(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str]
) -> None:
    put(kinesis, *users_in_the_first_shard(40), *["hot"] * 3_000)
    shards("events", seconds=20)
    *found, advice = lines(capfd)
    assert [line["shardId"] for line in found] == [f"shardId-{number:012}" for number in range(4)]
    assert sum(line["recordsPerSecond"] for line in found) == 3_040 / 20
    hot = next(line for line in found if line["busiestSecondPercent"] > 100)
    assert (hot["open"], hot["limitedBy"]) == (True, "records")
    assert hot["partitionKeys"][0] | {"percentOfShard": 0} == {
        "partitionKey": "hot",
        "records": 3_000,
        "bytes": 3_000 * 103,
        "percentOfShard": 0,
    }
    assert (advice["advice"], advice["shardId"]) == ("use_message_id", hot["shardId"])


def test_a_split_as_it_is_advised_halves_the_load(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str]
) -> None:
    users = users_in_the_first_shard(200)
    put(kinesis, *users * 20)
    shards("events", seconds=20, as_json=True)
    [shown] = lines(capfd)
    [advice] = shown["advice"]
    assert (advice["advice"], shown["mode"], shown["records"]) == ("split", "PROVISIONED", 4_000)
    words = shlex.split(advice["commands"][0])
    options = dict(zip(words[3::2], words[4::2], strict=True))
    boto3_client(kinesis).split_shard(
        StreamName=options["--stream-name"],
        ShardToSplit=options["--shard-to-split"],
        NewStartingHashKey=options["--new-starting-hash-key"],
    )
    put(kinesis, *users)
    totals = kinesis.ledger.shards("events")
    assert totals["shardId-000000000004"].accepted_records == 100
    assert totals["shardId-000000000005"].accepted_records == 100


def test_an_idle_stream_has_a_line_of_each_open_shard(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str]
) -> None:
    kinesis.split("events", "shardId-000000000002")
    shards("events", seconds=1)
    *found, advice = lines(capfd)
    assert [line["shardId"] for line in found] == [f"shardId-{number:012}" for number in (0, 1, 4, 5, 3)]
    assert {line["percentOfLimit"] for line in found} == {0.0}
    assert advice["advice"] == "fewer_shards"


def test_who_may_not_describe_the_stream_gets_all_but_its_mode(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str]
) -> None:
    kinesis.identities.deny("DescribeStreamSummary")
    shards("events", seconds=1, as_json=True)
    [shown] = lines(capfd)
    assert (shown["mode"], len(shown["shards"]), shown["seconds"]) == (None, 4, 1)


def test_what_goes_wrong_is_one_line(kinesis: FakeKinesis) -> None:
    with pytest.raises(UsageError, match=r"^--seconds: 0 is not allowed; allowed: 1 to 3600$"):
        shards("events", seconds=0)
    with pytest.raises(UsageError, match="STREAM: 'a b' is no stream name"):
        shards("a b")
    with pytest.raises(
        AwsError, match=r"^no stream 'evnts' in us-west-2: [^\n]*; check the name and --region$"
    ):
        shards("evnts")


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_it_is_a_table(kinesis: FakeKinesis, more: dict[str, str], coloured: bool) -> None:
    put(kinesis, *["hot\x1b[2J"] * 3_000)
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"} | more
    with subprocess.Popen(
        [HEADGATE, "shards", "events"], env=environment, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        shown = ""
        while "use_message_id" not in shown:
            shown += os.read(ours, 65536).decode()
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b"", "progress is shown on a terminal alone"
    os.close(ours)
    os.close(theirs)
    assert "shardId-000000000003" in shown
    assert "hot\\x1b[2J" in shown
    assert ("\x1b[" in shown) is coloured
