"""The commands of docs/operate.md print what it shows: the same lines, whatever the figures."""

import asyncio
import fcntl
import json
import os
import pty
import random
import re
import shlex
import signal
import string
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.session import get_session

from demo.forwarder import HEADGATE
from headgate.overflow import packs
from headgate.overflow.dead_letters import EXPIRED, QueueDeadLetters, letter
from headgate.overflow.origin import Origin
from headgate.overflow.queue import Queue
from headgate.reading.load import hash_key
from headgate.testing import UNLIMITED, FakeKinesis
from tests.aws_surroundings import moto_server
from tests.overflow.sqs import client_of
from tests.testing.asking import boto3_client

MESSAGE_ID = "5c0e7e2c-8f0a-4a51-9d8c-0d9e7a1c2b3a"
ORDER = f'{{"type": "track", "event": "Order Completed", "messageId": "{MESSAGE_ID}", "userId": "user-1"}}'
SOURCES = """\
[[sources]]
id = "8kf3Qw2LpZ"
write_keys = ["wk"]

[[sources.destinations]]
stream_name = "events"
"""
DOCUMENT = Path(__file__).parents[2] / "docs/operate.md"
COLUMNS = 118


def shown(command: str) -> list[str]:
    """The lines that the document shows of what a command prints."""
    blocks = re.findall(r"```console\n\$ (.*?)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    [lines] = [lines for asked, lines in blocks if asked == command]
    return [line for line in lines.splitlines() if line.strip()]


def alike(text: str) -> str:
    """A text without its figures, and without what steers a terminal."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", text)).strip()


class Clock:
    """The fake's clock: the machine's, or set to an instant before it."""

    def __init__(self) -> None:
        self.ago = 0.0

    def __call__(self) -> float:
        return time.time() - self.ago


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kinesis(clock: Clock) -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 4}, limits=UNLIMITED, clock=clock) as kinesis:
        yield kinesis


def put(kinesis: FakeKinesis, *keys: str, late: float = 0.1, **members: object) -> None:
    received = datetime.now(UTC) - timedelta(seconds=late)
    event = {
        "type": "track",
        "event": "Order Completed",
        "receivedAt": received.isoformat(timespec="milliseconds"),
    }
    client = boto3_client(kinesis)
    for at in range(0, len(keys), 500):
        client.put_records(
            StreamName="events",
            Records=[
                {"Data": json.dumps(event | members | {"userId": key}), "PartitionKey": key}
                for key in keys[at : at + 500]
            ],
        )


def put_for_20_seconds(kinesis: FakeKinesis, clock: Clock, keys: list[str], a_second: int) -> None:
    """Put so many records a second, until now, and let the clock go by instead of waiting."""
    chance = random.Random(3)
    for ago in range(21, 0, -1):
        clock.ago = ago
        put(kinesis, *chance.choices(keys, k=a_second))
    clock.ago = 0.0


def printed(kinesis: FakeKinesis, command: str, *, until: str | None = None, **more: str) -> str:
    """What a command prints on a terminal; one that follows is interrupted once `until` was there thrice.

    More variables are the command's and stand in the command itself.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    terminal = {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": str(COLUMNS)}
    environment = os.environ | kinesis.environment() | terminal | more
    arguments = [
        str(HEADGATE),
        *(string.Template(each).safe_substitute(more) for each in shlex.split(command)[1:]),
    ]
    text, deadline = "", time.monotonic() + 60
    with subprocess.Popen(arguments, env=environment, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        try:
            with suppress(OSError):  # what reading a terminal raises once nobody writes to it any more
                while part := os.read(ours, 65536).decode():
                    assert time.monotonic() < deadline, text
                    text += part
                    if until is not None and alike(text).count(until) >= 3:
                        process.send_signal(signal.SIGINT)
                        until = None
            assert process.wait(20) in (0, 130)
        finally:
            process.kill()
            os.close(ours)
    return text


def users(count: int, shard: int | None = None) -> list[str]:
    found = (f"user-{number}" for number in range(count * 10))
    return [user for user in found if shard is None or hash_key(user) * 4 >> 128 == shard][:count]


def matches(kinesis: FakeKinesis, command: str, *, until: str | None = None, **more: str) -> None:
    found = alike(printed(kinesis, command, until=until, **more))
    for line in shown(command):
        assert alike(line) in found, found


def test_events_are_late(kinesis: FakeKinesis) -> None:
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.1):
            for shard in range(4):
                put(kinesis, *users(20, shard), late=95 if shard == 2 else 0.1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        command = "headgate tail events --follow --stats"
        matches(kinesis, command, until=alike(shown(command)[-1]))
    finally:
        over.set()
        writer.join()


def test_throttled_by_one_user(kinesis: FakeKinesis, clock: Clock) -> None:
    put_for_20_seconds(kinesis, clock, [*users(300), *["user-71"] * 600], 1_400)
    matches(kinesis, "headgate shards events --seconds 20")


def test_throttled_by_many_users(kinesis: FakeKinesis, clock: Clock) -> None:
    put_for_20_seconds(kinesis, clock, [*users(3_000, 1), *users(800)], 1_350)
    matches(kinesis, "headgate shards events --seconds 18")


def test_wrong_shard_count(kinesis: FakeKinesis, clock: Clock) -> None:
    put_for_20_seconds(kinesis, clock, users(2_000), 300)
    matches(kinesis, "headgate shards events --seconds 600")


@pytest.mark.parametrize(
    "load",
    [
        "--events-per-second 1000 --average-bytes 900 --peak-factor 2 --headroom 1.25",
        "--events-per-second 140 --average-bytes 900 --peak-factor 40",
    ],
)
def test_what_a_load_will_need(kinesis: FakeKinesis, load: str) -> None:
    # Of a plan the figures have to be those of the document, too.
    found = [" ".join(line.split()) for line in printed(kinesis, f"headgate plan {load}").splitlines()]
    assert not {" ".join(line.split()) for line in shown(f"headgate plan {load}")} - set(found)


def test_one_event(kinesis: FakeKinesis) -> None:
    put(kinesis, "user-1", messageId=MESSAGE_ID)
    put(kinesis, "user-1", messageId="another")
    matches(kinesis, f"headgate tail events --since 1d --message-id {MESSAGE_ID}")


@pytest.fixture
def queues(kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The dead letters and the overflow of a forwarder, and what its commands have to know of them."""
    with moto_server() as endpoint:
        for name, value in (kinesis.environment() | {"AWS_ENDPOINT_URL_SQS": endpoint}).items():
            monkeypatch.setenv(name, value)
        urls = [client_of(endpoint).create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "overflow")]
        asyncio.run(fill(*(Queue(get_session(), url) for url in urls)))
        yield {"DEAD_LETTERS": urls[0], "OVERFLOW": urls[1], "AWS_ENDPOINT_URL_SQS": endpoint}


async def fill(dead: Queue, overflow: Queue) -> None:
    events, old = (
        Origin(source_id="8kf3Qw2LpZ", region="us-west-2", stream_name=name, role_address=None)
        for name in ("events", "old-events")
    )
    now = datetime.now(UTC)
    too_large = "the record has 1,048,702 bytes with its partition key; allowed: 1,048,576"
    letters = [
        letter(
            events,
            (f"user-{number}", ORDER.encode()),
            code="too_large",
            message=too_large,
            time=now - timedelta(hours=3 + number / 20),
        )
        for number in range(38)
    ]
    why, time = "it lay in the overflow queue for 13.0 days", now - timedelta(days=2)
    letters += [
        letter(old, (f"user-{number}", ORDER.encode()), code=EXPIRED, message=why, time=time)
        for number in range(3)
    ]
    await QueueDeadLetters(dead).put(letters)
    packed = packs.pack(events, [(f"user-{number}", ORDER.encode()) for number in range(2_000)], 200_000)
    await overflow.send([each.body for each in packed.packs], 5)


def test_events_ended_up_in_dead_letters(
    kinesis: FakeKinesis, queues: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sources.toml").write_text(SOURCES, encoding="utf-8")
    redrive = "headgate redrive --dead-letter-queue $DEAD_LETTERS"
    for command in (
        "headgate redrive --overflow-queue $OVERFLOW --list",
        f"{redrive} --list",
        f"{redrive} --code too_large --show 1",
        f"{redrive} --sources sources.toml --dry-run",
        f"{redrive} --sources sources.toml --code too_large --max-records-per-second 500",
    ):
        matches(kinesis, command, **queues)
    assert len(kinesis.ledger.records("events")) == 38
