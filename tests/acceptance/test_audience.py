"""`headgate audience sync` as a process that is killed at random, on shards that throttle."""

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from demo.forwarder import HEADGATE
from headgate.audiences.sending import WINDOW
from headgate.testing import AcceptedRecord, FakeKinesis, Limits
from tests.acceptance.soak import SOAK
from tests.aws_surroundings import moto_server

KILLS, MEMBERS = (60, 60_000) if SOAK else (4, 6_000)
SOURCES = '[[sources]]\nid = "shop"\nwrite_keys = ["wk"]\n[[sources.destinations]]\nstream_name = "events"\n'
INTERRUPTED = 130


@dataclass
class Syncing:
    """The command, and what it needs."""

    kinesis: FakeKinesis
    directory: Path
    environment: dict[str, str]
    state: str

    def start(self) -> "subprocess.Popen[str]":
        command = [HEADGATE, "audience", "sync", "--name", "Spender", "--source", "shop"]
        command += ["--members", "members.csv", "--state", self.state]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.directory, env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def members(self, users: range) -> None:
        text = "user_id\n" + "".join(f"user-{number}\n" for number in users)
        (self.directory / "members.csv").write_text(text)

    def accepted(self) -> int:
        return self.kinesis.ledger.totals().accepted_records

    def stopped_while_sending(self, signal_number: int, calls: int) -> tuple[int, str]:
        """Start it, signal it after so many more calls, if it has not ended by then; return how it ended."""
        wanted, deadline = self.accepted() + calls, time.monotonic() + 60
        with self.start() as process:
            while process.poll() is None and self.accepted() < wanted:
                assert time.monotonic() < deadline
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.01)
            process.send_signal(signal_number)
            _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def killed_at_any_instant(self) -> int:
        """Start it and kill it after a moment; return how it ended."""
        with self.start() as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(0.3, 2.0))
            process.kill()
            process.communicate(timeout=60)
        return process.returncode

    def until_its_end(self) -> list[str]:
        """Return the steps that it tells of."""
        with self.start() as process:
            output, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (0, "")
        return [json.loads(line)["step"] for line in output.splitlines()]


@pytest.fixture
def syncing(tmp_path: Path) -> Iterator[Syncing]:
    (tmp_path / "sources.toml").write_text(SOURCES)
    with FakeKinesis(streams={"events": 4}, limits=Limits(records_per_second=500)) as kinesis:
        yield Syncing(kinesis, tmp_path, os.environ | kinesis.environment(), str(tmp_path / "state"))


@pytest.fixture
def bucket() -> Iterator[tuple[str, dict[str, str]]]:
    """A bucket's name, and where S3 is."""
    with moto_server() as url:
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_bucket(Bucket="audiences")
        yield "audiences", {"AWS_ENDPOINT_URL_S3": url}


def known(records: Sequence[AcceptedRecord]) -> set[str]:
    """Return whom a consumer that drops repeated message IDs takes for members."""
    seen: set[str] = set()
    users: dict[str, bool] = {}
    for record in records:
        event = json.loads(record.data)
        if event["messageId"] not in seen:
            seen.add(event["messageId"])
            users[event["userId"]] = event["traits"]["spender"]
    return {user for user, is_in in users.items() if is_in}


def named(users: range) -> set[str]:
    return {f"user-{number}" for number in users}


def copies(records: Sequence[AcceptedRecord]) -> int:
    ids = Counter(record.message_id for record in records)
    return ids.total() - len(ids)


def test_killed_at_random_it_goes_on_and_repeats_no_more_than_a_window(syncing: Syncing) -> None:
    syncing.members(range(MEMBERS))
    killed = 0
    for number in range(KILLS):
        if number % 2:
            status = syncing.killed_at_any_instant()
        else:
            calls = random.randint(1, MEMBERS // KILLS)
            status, _ = syncing.stopped_while_sending(signal.SIGKILL, calls)
        killed += status == -signal.SIGKILL
    syncing.until_its_end()
    records = list(syncing.kinesis.ledger.records())
    assert killed
    assert known(records) == named(range(MEMBERS))
    assert copies(records) <= WINDOW * killed
    syncing.members(range(100, MEMBERS + 50))
    assert syncing.until_its_end()[-1] == "done"
    everything = list(syncing.kinesis.ledger.records())
    assert len(everything) - len(records) == 150
    assert known(everything) == named(range(100, MEMBERS + 50))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_gives_the_lock_in_s3_back_and_goes_on_without_a_repeat(
    syncing: Syncing, bucket: tuple[str, dict[str, str]], stop: signal.Signals
) -> None:
    name, where = bucket
    syncing.state = f"s3://{name}/{stop.name}/"  # moto keeps what it has for the whole process
    syncing.environment |= where
    syncing.members(range(3_500))
    status, errors = syncing.stopped_while_sending(stop, 1_000)
    assert (status, errors) == (
        INTERRUPTED,
        "headgate: interrupted; the same command goes on from here\n",
    )
    assert syncing.accepted() < 3_500
    assert syncing.until_its_end()[0] == "resumed"
    records = list(syncing.kinesis.ledger.records())
    assert known(records) == named(range(3_500))
    assert copies(records) <= WINDOW
