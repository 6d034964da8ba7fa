"""What a stream will never take is kept before it is acknowledged, and one command sends it again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from demo.forwarder import HEADGATE
from demo.processes import DemoError, run
from headgate.overflow import letter_file
from headgate.settings.schema import Destination, Source
from headgate.testing import FakeKinesis
from tests.acceptance.clients import Client, connections
from tests.acceptance.evidence import counted, everything_arrived, told_of
from tests.acceptance.fake_aws import add_source, name_of, stream_of
from tests.acceptance.queues import queues
from tests.acceptance.serving import as_toml, eventually, serving

LIMIT = 1024 * 1024


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


@pytest.mark.slow
@pytest.mark.parametrize("store", ["file", "queue"])
async def test_a_record_too_large_for_its_stream_is_kept_and_sent_again_once_the_limit_is_raised(
    kinesis: FakeKinesis, sqs: str, tmp_path: Path, store: str
) -> None:
    source = add_source(kinesis, "small", "blind")
    stream, name = stream_of(source), name_of(source)
    with queues(sqs) as kept:
        environment = kept.environment(kinesis)
        path = tmp_path / "letters.jsonl"
        where = (
            ("--dead-letter-file", str(path))
            if store == "file"
            else ("--dead-letter-queue", kept.dead_letters)
        )
        larger = ("--max-event-bytes", str(LIMIT), "--max-request-bytes", str(2 * LIMIT))
        with serving([source], environment, tmp_path, *where, *larger) as forwarder:
            async with connections() as http:
                client = Client(http, forwarder.url, source, ["src-small-user-0"])
                # As sent it is within an event's limit; with what is stamped into it, above a record's.
                large = client.request(size=LIMIT - 300)
                assert (await client.post([*large, *client.request()])).status == 200
            assert letters_in(path) == [large[0]["messageId"]] or set(kept.story(kept.dead_letters).left) == {
                large[0]["messageId"]
            }
            assert len(kinesis.ledger.records(stream)) == 1
            assert forwarder.said(message="a record went to the dead letters", code="too_large")
            await eventually(lambda: told_of(forwarder, name, "UndeliverableRecords") == 1)
            await eventually(lambda: forwarder.status()["metrics"]["DeadLetters"] == 1)
            forwarder.stop()
        assert counted(forwarder, "DeadLetters").total() == 1

        def redrive(settings: Source) -> str:
            sources = tmp_path / "redrive.toml"
            sources.write_text(as_toml([settings]), encoding="utf-8")
            command = [HEADGATE, "redrive", "--sources", sources, *where]
            log = tmp_path / "redrive.log"
            log.unlink(missing_ok=True)
            return run("redrive", command, environment=os.environ | environment, log=log, seconds=60)

        with pytest.raises(DemoError, match="too_large"):
            redrive(source)
        assert len(kinesis.ledger.records(stream)) == 1
        kinesis.create_stream(stream, 4, max_record_kib=2048)
        [destination] = source.destinations
        assert redrive(raised(source, destination)).startswith("1 sent, 0 kept")
        everything_arrived(kinesis.ledger, stream, [client])
        assert not kinesis.ledger.duplicates(stream)
        assert not letters_in(path)
        assert not kept.story(kept.dead_letters).left


def raised(source: Source, destination: Destination) -> Source:
    """Return a source's settings after its stream took larger records."""
    larger = msgspec.structs.replace(destination, max_record_kib=2048)
    return msgspec.structs.replace(source, destinations=(larger,))


def letters_in(path: Path) -> list[str]:
    """Return the message IDs of what is in a file of dead letters."""
    if not path.exists():
        return []
    return [json.loads(letter.data)["messageId"] for _, letter in letter_file.read(path)[0]]
