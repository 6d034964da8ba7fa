"""A redrive that is interrupted or killed: a letter is in its stream or its store, and the next goes on."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.forwarder import HEADGATE
from headgate.overflow import letter_file
from headgate.overflow.dead_letters import pack
from headgate.overflow.letter_file import FileDeadLetters
from headgate.testing import FakeKinesis
from tests.acceptance.queues import Queues, queues
from tests.acceptance.serving import eventually
from tests.overflow.letters import a_letter
from tests.overflow.sqs import Slow, client_of

LETTERS = [a_letter(key=f"user-{number}") for number in range(200)]
EVERY = {letter.partition_key for letter in LETTERS}
OF_A_MESSAGE, IN_HAND = 4, 10
SOURCES = '[[sources]]\nid = "src"\nwrite_keys = ["wk"]\n[[sources.destinations]]\nstream_name = "events"\n'


@pytest.fixture
def kept(sqs: str) -> Iterator[Queues]:
    with queues(sqs) as kept:
        yield kept


class World:
    """A store with 200 letters, and a stream."""

    def __init__(self, kinesis: FakeKinesis, kept: Queues, directory: Path, store: str) -> None:
        self.kinesis, self.kept = kinesis, kept
        self.file = directory / "letters.jsonl" if store == "file" else None
        self.options = ("--dead-letter-queue", kept.dead_letters)
        if self.file is not None:
            asyncio.run(FileDeadLetters(self.file).put(LETTERS))
            self.options = ("--dead-letter-file", str(self.file))
        else:
            for at in range(0, len(LETTERS), OF_A_MESSAGE):
                [packed] = pack(LETTERS[at : at + OF_A_MESSAGE], 200_000).packs
                client_of(kept.proxy.url).send_message_batch(
                    QueueUrl=kept.dead_letters, Entries=[{"Id": "1", "MessageBody": packed.body}]
                )
        self.sources = directory / "sources.toml"
        self.sources.write_text(SOURCES, encoding="utf-8")

    def start(self, *options: str) -> "subprocess.Popen[str]":
        command = [str(HEADGATE), "redrive", "--sources", str(self.sources), *self.options, *options]
        environment = os.environ | self.kept.environment(self.kinesis)
        return subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    @property
    def in_stream(self) -> list[str]:
        return [record.partition_key for record in self.kinesis.ledger.records("events")]

    @property
    def in_store(self) -> set[str]:
        if self.file is not None:
            return {letter.partition_key for _, letter in letter_file.read(self.file)[0]}
        return set(self.kept.story(self.kept.dead_letters).left)


@pytest.mark.parametrize(
    ("store", "ended_by"),
    [("queue", signal.SIGKILL), ("file", signal.SIGINT)],
)
async def test_a_redrive_that_ends_in_the_middle_loses_nothing_and_goes_on(
    kept: Queues, tmp_path: Path, store: str, ended_by: signal.Signals
) -> None:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        world = await asyncio.to_thread(World, kinesis, kept, tmp_path, store)
        if ended_by is signal.SIGKILL:
            kept.proxy.longest_hidden = 2
        with world.start("--max-records-per-second", "200") as process:
            await eventually(lambda: len(world.in_stream) >= 60)
            process.send_signal(ended_by)
            output, errors = await asyncio.to_thread(process.communicate, timeout=20)
        sent = world.in_stream
        assert 60 <= len(sent) < 200
        assert len(set(sent)) == len(sent)
        assert world.in_store | set(sent) == EVERY
        twice = world.in_store & set(sent)
        if ended_by is signal.SIGINT:
            assert (process.returncode, output) == (130, f"{len(sent)} sent, 0 kept\n")
            assert "the same command goes on" in errors
            assert not twice
            assert store == "file" or kept.hidden(kept.dead_letters) == 0
        else:
            # Of a queue ten messages are in hand, of a file what is sent in a second.
            assert len(twice) <= (200 if store == "file" else IN_HAND * OF_A_MESSAGE)
            await eventually(lambda: store == "file" or kept.hidden(kept.dead_letters) == 0)
        with world.start() as process:
            output, errors = await asyncio.to_thread(process.communicate, timeout=20)
        assert (process.returncode, errors) == (0, "")
        assert output == f"{200 - len(sent) + len(twice)} sent, 0 kept\n"
        assert not world.in_store
        assert set(world.in_stream) == EVERY
        assert len(world.in_stream) == 200 + len(twice)


async def test_an_interrupted_list_gives_back_what_it_has_looked_at(kept: Queues, tmp_path: Path) -> None:
    with FakeKinesis() as kinesis:
        world = await asyncio.to_thread(World, kinesis, kept, tmp_path, "queue")
        kept.proxy.always("ReceiveMessage", Slow(0.3))
        with world.start("--list") as process:
            await eventually(lambda: len(kept.proxy.calls_of("ReceiveMessage")) >= 2)
            process.send_signal(signal.SIGINT)
            output, errors = await asyncio.to_thread(process.communicate, timeout=20)
        assert process.returncode == 130
        assert errors == "headgate: interrupted: the list is of what was read so far\n"
        assert 0 < sum(json.loads(line)["records"] for line in output.splitlines()) < 200
        assert kept.hidden(kept.dead_letters) == 0
