"""`headgate tail` as a process, against a stream whose permissions are enforced."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.forwarder import HEADGATE
from demo.story import OWNER, REGION
from headgate.testing import FakeKinesis, HangConnection
from tests.acceptance.world import World
from tests.testing.asking import boto3_client

STREAM = "tailed"
Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def kinesis(world: World) -> Any:
    client = world.aws.client("kinesis", world.aws.root(OWNER), REGION)
    client.create_stream(StreamName=STREAM, ShardCount=2)
    put(client, *(f"user-{n}" for n in range(10)))
    return client


def put(kinesis: Any, *keys: str) -> None:
    kinesis.put_records(
        StreamName=STREAM,
        Records=[{"Data": b'{"type": "page", "name": "Home"}', "PartitionKey": key} for key in keys],
    )


@contextmanager
def tail(
    world: World, *arguments: str, stdout: int = subprocess.PIPE, more: Mapping[str, str] | None = None
) -> Iterator[Process]:
    environment = world.reader_environment | dict(more or {})
    command = [str(HEADGATE), "tail", *arguments]
    process = subprocess.Popen(
        command, env=environment, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_both_shards_come_as_json_lines(world: World, kinesis: Any) -> None:
    with tail(world, STREAM) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    assert {line["partitionKey"] for line in lines} >= {f"user-{n}" for n in range(10)}
    assert {line["shardId"] for line in lines} == {"shardId-000000000000", "shardId-000000000001"}
    assert all(line["event"] == {"type": "page", "name": "Home"} for line in lines)


def test_following_shows_what_comes_and_ends_with_ctrl_c(world: World, kinesis: Any) -> None:
    with tail(world, STREAM, "--follow", "--since", "trim-horizon") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["partitionKey"] == "user-9":
                break
        put(kinesis, "come-later")
        for line in process.stdout:
            if json.loads(line)["partitionKey"] == "come-later":
                break
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (130, "", "")


def test_it_ends_when_nobody_reads_any_more_even_if_nothing_comes(world: World, kinesis: Any) -> None:
    with tail(world, STREAM, "--follow", "--since", "trim-horizon") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_it_is_for_the_eye(
    world: World, kinesis: Any, more: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    with tail(world, STREAM, "--limit", "1", stdout=theirs, more={"TERM": "xterm"} | more) as process:
        assert process.wait(30) == 0
        os.set_blocking(ours, False)
        shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert "shardId-00000000000" in shown
    assert "user-" in shown
    assert ("\x1b[" in shown) is coloured
    assert shown.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "more", "status", "said"),
    [
        (("evnts",), {}, 1, "no stream 'evnts' in us-west-2"),
        ((STREAM, "--region", "eu-west-1"), {}, 1, "no stream 'tailed' in eu-west-1"),
        ((STREAM, "--region", "nowhere at all"), {}, 2, "nowhere at all"),
        ((STREAM, "--since", "soon"), {}, 2, "--since: 'soon' is no point in time"),
        (
            (STREAM,),
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            1,
            "Unable to locate credentials",
        ),
        ((STREAM,), {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN", "AWS_MAX_ATTEMPTS": "1"}, 1, "UnrecognizedClient"),
        (
            (STREAM,),
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            1,
            "Could not connect",
        ),
    ],
)
def test_what_goes_wrong_is_one_line(
    world: World, kinesis: Any, arguments: tuple[str, ...], more: dict[str, str], status: int, said: str
) -> None:
    with tail(world, *arguments, more=more) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors.count("\n")) == (status, "", 1)
    assert errors.startswith("headgate: ")
    assert said in errors


def test_a_caller_without_permission_is_told_which_one_is_missing(world: World, kinesis: Any) -> None:
    stranger = world.aws.user(OWNER, "stranger", action="kinesis:PutRecord", resource="*")
    with tail(world, STREAM, more=world.aws.environment(stranger, REGION)) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "kinesis:ListShards" in errors


@contextmanager
def on_fake(kinesis: FakeKinesis, *arguments: str, stdout: int = subprocess.PIPE) -> Iterator[Process]:
    environment = os.environ | kinesis.environment() | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    command = [str(HEADGATE), "tail", "events", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=stdout, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def put_received(kinesis: FakeKinesis, count: int) -> None:
    received_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    data = json.dumps({"type": "page", "receivedAt": received_at})
    boto3_client(kinesis).put_records(
        StreamName="events", Records=[{"Data": data, "PartitionKey": f"user-{n}"} for n in range(count)]
    )


def test_ctrl_c_does_not_wait_for_an_answer_that_never_comes() -> None:
    with FakeKinesis(streams={"events": 4}) as kinesis:
        hung = kinesis.faults.add(HangConnection(operations=("GetRecords",)))
        with on_fake(kinesis, "--follow") as process:
            kinesis.until(lambda _: hung.struck == 4)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert process.stderr is not None
            assert process.stderr.read() == ""


def test_stats_follow_once_a_second_and_end_with_ctrl_c() -> None:
    with FakeKinesis(streams={"events": 4}) as kinesis, on_fake(kinesis, "--follow", "--stats") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["records"] == 0
        put_received(kinesis, 100)
        records = 0
        for line in map(json.loads, process.stdout):
            assert 1 <= line["seconds"] < 3
            records += line["records"]
            if records == 100:
                break
        assert line["delaySeconds"]["max"] < 30
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")
    assert all(json.loads(line)["records"] == 0 for line in output.splitlines())


def test_stats_on_a_terminal_are_a_table_that_is_renewed() -> None:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        put_received(kinesis, 50)
        ours, theirs = pty.openpty()
        with on_fake(kinesis, "--follow", "--stats", stdout=theirs) as process:
            shown = ""
            while shown.count("all 2") < 3:
                shown += os.read(ours, 65536).decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            shown += os.read(ours, 65536).decode()
        os.close(ours)
        os.close(theirs)
    assert "shardId-000000000000" in shown
    assert "records/s" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1, "the cursor is shown again"
