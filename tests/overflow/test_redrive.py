"""`headgate redrive` as a process: what Kinesis takes leaves its store, all else stays, and it says why."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headgate.overflow import packs
from headgate.overflow.dead_letters import EXPIRED, UNREADABLE, DeadLetter, QueueDeadLetters, letter, unpack
from headgate.overflow.letter_file import FileDeadLetters, read
from headgate.overflow.origin import Origin
from headgate.overflow.queue import Queue
from headgate.testing import FailRecords, FakeKinesis
from tests.overflow.sqs import KEYS, FailEntries, Refuse, Sqs

HEADGATE = Path(sys.executable).with_name("headgate")
ROLE = "arn:aws:iam::111122223333:role/writer"
SOURCES = f"""\
[[sources]]
id = "src"
write_keys = ["wk"]

[[sources.destinations]]
stream_name = "events"
role_address = "{ROLE}"
secret_id = "the-secret-id"
enabled = false
"""
EVENTS = Origin(source_id="src", region="us-west-2", stream_name="events", role_address=ROLE)
# A stream that settings no longer name: the role's External ID is found all the same.
OLD = Origin(source_id="src", region="us-west-2", stream_name="old", role_address=ROLE)
GONE = Origin(source_id="src", region="us-west-2", stream_name="gone", role_address=ROLE)


def a_letter(origin: Origin | None, key: str, data: bytes = b"{}") -> DeadLetter:
    code = EXPIRED if origin else UNREADABLE
    return letter(origin, (key, data), code=code, message="no", time=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 2, "old": 1}) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=["the-secret-id"])
        yield kinesis


def redrive(
    kinesis: FakeKinesis, tmp_path: Path, *arguments: str | Path, sqs: Sqs | None = None
) -> "subprocess.CompletedProcess[str]":
    sources = tmp_path / "sources.toml"
    sources.write_text(SOURCES, encoding="utf-8")
    environment = os.environ | kinesis.environment()
    if sqs is not None:
        environment["AWS_ENDPOINT_URL_SQS"] = sqs.proxy.url
        environment |= {variable.upper(): value for variable, value in KEYS.items()}
    command = [str(HEADGATE), "redrive", "--sources", str(sources), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def accepted(kinesis: FakeKinesis, stream: str) -> list[str]:
    return sorted(record.partition_key for record in kinesis.ledger.records(stream))


async def test_letters_of_a_file_are_sent_again_and_those_that_failed_stay(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    path = tmp_path / "dead.jsonl"
    letters = [
        a_letter(EVENTS, "a", b'{"n":1}'),
        a_letter(GONE, "b"),
        a_letter(OLD, "c"),
        a_letter(EVENTS, "d"),
    ]
    await FileDeadLetters(path).put(letters)
    done = redrive(kinesis, tmp_path, "--dead-letter-file", path)
    assert (done.returncode, done.stdout) == (1, "3 sent, 1 kept\n")
    [line] = done.stderr.splitlines()
    assert line.startswith("1 of src/gone kept: ResourceNotFoundException")
    assert accepted(kinesis, "events") == ["a", "d"]
    assert accepted(kinesis, "old") == ["c"]
    assert [each for _, each in read(path)[0]] == [letters[1]]
    assert kinesis.ledger.records("events")[0].data in (b'{"n":1}', b"{}")

    kinesis.create_stream("gone", 1)
    done = redrive(kinesis, tmp_path, "--dead-letter-file", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 sent, 0 kept\n", "")
    assert path.read_bytes() == b""


async def test_letters_of_a_queue_are_sent_again_and_those_that_failed_stay(
    kinesis: FakeKinesis, sqs: Sqs, name: str, tmp_path: Path
) -> None:
    url = sqs.create_queue(name)
    store = QueueDeadLetters(Queue(sqs.session, url))
    await store.put([a_letter(EVENTS, "a"), a_letter(GONE, "b"), a_letter(None, "")])
    for number in range(25):
        await store.put([a_letter(EVENTS, f"many-{number}")])
    await store.put([a_letter(GONE, "c")])
    sqs.client.send_message(QueueUrl=url, MessageBody="no letter")
    done = redrive(kinesis, tmp_path, "--dead-letter-queue", url, sqs=sqs)
    assert (done.returncode, done.stdout) == (1, "26 sent, 4 kept\n")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "2 of src/gone kept",
        "2 kept",
    ]
    assert len(accepted(kinesis, "events")) == 26
    # What stays is there for the next run at once.
    bodies = sqs.bodies(url)
    assert "no letter" in bodies
    left = [each for body in bodies if body != "no letter" for each in unpack(body)]
    assert sorted(each.partition_key for each in left) == ["", "b", "c"]


async def test_a_letter_whose_deletion_failed_is_still_there_and_none_is_lost_where_sqs_fails_partly(
    kinesis: FakeKinesis, one_sqs: Sqs, name: str, tmp_path: Path
) -> None:
    url = one_sqs.create_queue(name)
    store = QueueDeadLetters(Queue(one_sqs.session, url))
    await store.put([a_letter(EVENTS, "a"), a_letter(GONE, "b")])
    await store.put([a_letter(EVENTS, "c")])
    one_sqs.proxy.always("SendMessageBatch", FailEntries(10, "AccessDenied", sender_fault=True))
    one_sqs.proxy.always("DeleteMessageBatch", Refuse("AccessDenied"))
    done = redrive(kinesis, tmp_path, "--dead-letter-queue", url, sqs=one_sqs)
    assert (done.returncode, done.stdout) == (1, "2 sent, 1 kept\n")
    assert "2 were sent and could not be removed: they will be sent again" in done.stderr
    left = [each.partition_key for body in one_sqs.bodies(url) for each in unpack(body)]
    assert sorted(left) == ["a", "b", "c"]


async def test_what_kinesis_throttles_is_sent_until_it_is_in(kinesis: FakeKinesis, tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    await FileDeadLetters(path).put([a_letter(EVENTS, str(number), bytes(1_000)) for number in range(1_500)])
    kinesis.faults.add(FailRecords("ProvisionedThroughputExceededException", probability=0.3))
    done = redrive(kinesis, tmp_path, "--dead-letter-file", path)
    assert (done.returncode, done.stdout) == (0, "1500 sent, 0 kept\n")
    assert len(accepted(kinesis, "events")) == 1_500


async def test_what_waits_in_the_overflow_queue_is_listed_and_pushed_by_hand(
    kinesis: FakeKinesis, one_sqs: Sqs, name: str, tmp_path: Path
) -> None:
    url = one_sqs.create_queue(name)
    queue = Queue(one_sqs.session, url)
    for origin, keys in ((EVENTS, "abc"), (OLD, "d"), (GONE, "e")):
        packed = packs.pack(origin, [(key, b"{}") for key in keys], 200_000)
        assert all(await queue.send([each.body for each in packed.packs], 5))
    listed = redrive(kinesis, tmp_path, "--overflow-queue", url, "--list", sqs=one_sqs)
    assert (listed.returncode, listed.stderr) == (0, "")
    lines = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(each["stream_name"], each["code"], each["records"]) for each in lines[:1]] == [
        ("events", "overflow_waiting", 3)
    ]
    assert sorted(each["stream_name"] for each in lines) == ["events", "gone", "old"]
    assert one_sqs.counts(url) == (3, 0)

    some = ("--stream", "events", "--max", "2")
    done = redrive(kinesis, tmp_path, "--overflow-queue", url, *some, sqs=one_sqs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 sent, 0 kept\n", "")
    assert accepted(kinesis, "events") == ["a", "b"]
    done = redrive(kinesis, tmp_path, "--overflow-queue", url, sqs=one_sqs)
    assert (done.returncode, done.stdout) == (1, "2 sent, 1 kept\n")
    assert (accepted(kinesis, "events"), accepted(kinesis, "old")) == (["a", "b", "c"], ["d"])
    # What stays is as it was, for the forwarder to drain.
    assert [packs.unpack(body) for body in one_sqs.bodies(url)] == [(GONE, [("e", b"{}")])]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give one of --dead-letter-queue, --dead-letter-file and --overflow-queue"),
        (["--dead-letter-file", "missing.jsonl"], "--dead-letter-file: 'missing.jsonl' is no file"),
        (["--dead-letter-queue", "queue"], "'queue' is no queue's URL"),
        (["--dead-letter-queue", "https://sqs.us-west-2.amazonaws.com/1/q.fifo"], "standard queue"),
    ],
)
def test_bad_usage_is_one_line_that_names_what_is_allowed(
    kinesis: FakeKinesis, tmp_path: Path, arguments: Sequence[str], said: str
) -> None:
    done = redrive(kinesis, tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert said in line


def test_a_queue_that_is_not_there_is_named_in_one_line(
    kinesis: FakeKinesis, one_sqs: Sqs, tmp_path: Path
) -> None:
    url = f"{one_sqs.proxy.backend}/111122223333/missing"
    done = redrive(kinesis, tmp_path, "--dead-letter-queue", url, sqs=one_sqs)
    [line] = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("headgate: the queue 'missing' cannot be read: ")
