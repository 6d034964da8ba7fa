"""The page *Dead letters* over a queue: looked into when told to, within bounds, and given back."""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from headgate.console.letters import work as letter_work
from headgate.overflow import dead_letters, stores
from headgate.testing import FakeKinesis
from tests.aws_surroundings import moto_server
from tests.console.letters.letters import SOURCES, Reader, in_streams, rows, said
from tests.console.visitor import Visitor, visiting
from tests.overflow.letters import EVENTS, OTHERS, a_letter
from tests.overflow.sqs import KEYS, Refuse, Slow, Sqs, client_of, proxied

KINDS = [(EVENTS, "too_large"), (EVENTS, "undeliverable"), (OTHERS, "too_large")]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def sqs(moto: str, kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sqs]:
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable.upper(), value)
    with proxied(moto) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", proxy.url)
        monkeypatch.setattr(stores, "_RECEIVE_WAIT", 0)
        yield Sqs(proxy, client_of(moto), botocore.session.get_session())


@pytest.fixture
def queue(sqs: Sqs, request: pytest.FixtureRequest) -> str:
    """A queue with thirty letters of three kinds, three in a message."""
    url = sqs.create_queue(f"queue-{os.getpid()}-{abs(hash(request.node.name))}")
    now = datetime.now(UTC)
    for number in range(10):
        letters = [
            a_letter(origin, f"{origin.stream_name}-{code}-{number}", code=code, time=now)
            for origin, code in KINDS
        ]
        [packed] = dead_letters.pack(letters, 200_000).packs
        sqs.client.send_message(QueueUrl=url, MessageBody=packed.body)
    return url


def keys_in(sqs: Sqs, url: str) -> list[str]:
    """Take all letters out of a queue, and return their partition keys."""
    return sorted(each.partition_key for body in sqs.bodies(url) for each in dead_letters.unpack(body))


ALL = sorted(f"{origin.stream_name}-{code}-{number}" for origin, code in KINDS for number in range(10))


@pytest.fixture
async def visitor(tmp_path: Path, queue: str) -> AsyncIterator[Visitor]:
    (tmp_path / "src.toml").write_text(SOURCES)
    async with visiting(tmp_path, sources=str(tmp_path / "src.toml"), dead_letter_queue=queue) as opened:
        yield opened


@pytest.fixture
def reader(visitor: Visitor) -> Reader:
    return Reader(visitor)


async def test_a_queue_is_looked_into_when_told_to_and_given_back(
    reader: Reader, sqs: Sqs, queue: str
) -> None:
    page = said(await reader.visitor.get("/letters"))
    assert "In the queue queue-" in page
    assert "they are hidden from others meanwhile, and given back at the end" in page
    assert "Nobody has looked into the queue yet." in said(await reader.visitor.get("/letters/found"))
    assert not sqs.proxy.calls
    found = await reader.look()
    assert "30 letters found" in said(found)
    assert sorted(each.split(" no good ")[0] for each in rows(found)[1:]) == [
        "another/others us-west-2 too_large",
        "src/events us-west-2 too_large",
        "src/events us-west-2 undeliverable",
    ]
    assert sqs.counts(queue) == (10, 0)
    assert keys_in(sqs, queue) == ALL


async def test_a_look_is_bounded_and_says_how_many_more_there_are(
    reader: Reader, sqs: Sqs, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_work, "MOST_KEPT", 2)
    for _ in range(3):  # ten messages are received at a time
        for body in [each["Body"] for each in received(sqs, queue)]:
            sqs.client.send_message(QueueUrl=queue, MessageBody=body)
    found = said(await reader.look())
    assert "It ended once 2 letters were found." in found
    assert "more messages are in the queue" in found
    assert "About 0 more" not in found
    assert sqs.counts(queue)[1] == 0


def received(sqs: Sqs, url: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = sqs.client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )["Messages"]
    return messages


async def test_a_look_tells_how_far_it_is_and_can_be_stopped(reader: Reader, sqs: Sqs, queue: str) -> None:
    sqs.proxy.always("ReceiveMessage", Slow(0.2))
    started = await reader.visitor.post("/letters/look")
    assert "sse-connect" in started.text
    name, progress = (await reader.visitor.events("/letters/events", 1))[0]
    assert name == "progress"
    assert "found;" in said(progress)
    refused = await reader.visitor.post("/letters/look")
    assert said(refused) == "letters are being looked at: stop that, or wait until it has ended"
    await reader.visitor.post("/letters/stop")
    await reader.until_over()
    assert "It was stopped: this is of what was read so far." in said(
        await reader.visitor.get("/letters/found")
    )
    assert sqs.counts(queue) == (10, 0)


async def test_a_part_of_messages_is_sent_and_the_rest_stays(
    reader: Reader, sqs: Sqs, queue: str, kinesis: FakeKinesis
) -> None:
    found = await reader.look(source="src")
    group = next(place for place, row in enumerate(rows(found)[1:], 1) if "undeliverable" in row)
    counted = await reader.count(found, group=str(group))
    assert "10 would be sent; nothing was sent." in said(counted)
    assert sqs.counts(queue) == (10, 0)
    await reader.send(counted)
    text = said(await reader.until_over())
    assert "src/events: undeliverable; source src" in text
    assert "10 sent, 0 kept." in text
    assert in_streams(kinesis) == sorted(f"events-undeliverable-{number}" for number in range(10))
    assert "Letters were sent since then: look again." in said(await reader.visitor.get("/letters/found"))
    assert keys_in(sqs, queue) == [each for each in ALL if "undeliverable" not in each]


async def test_one_letter_and_then_all_are_sent(
    reader: Reader, sqs: Sqs, queue: str, kinesis: FakeKinesis
) -> None:
    found = await reader.look()
    assert "1 sent, 0 kept." in said(await reader.send_again(found, letter="1"))
    [first] = in_streams(kinesis)
    assert "29 sent, 0 kept." in said(await reader.send_again(found))
    assert in_streams(kinesis) == ALL
    assert first in ALL
    assert keys_in(sqs, queue) == []


@pytest.mark.parametrize(
    ("code", "status"), [("AWS.SimpleQueueService.NonExistentQueue", 400), ("AccessDenied", 403)]
)
async def test_a_queue_that_is_missing_or_denied_is_one_line_and_the_page_still_works(
    reader: Reader, sqs: Sqs, code: str, status: int
) -> None:
    sqs.proxy.always("ReceiveMessage", Refuse(code, status))
    await reader.visitor.post("/letters/look")
    ended = await reader.until_over()
    assert f"cannot be read: {code}: as the test wants" in said(ended)
    assert 'role="alert"' in ended
    assert (await reader.visitor.get("/letters")).status == 200
    sqs.proxy.always("ReceiveMessage", None)
    assert "30 letters found" in said(await reader.look())


async def test_a_url_that_is_no_queue_is_one_line(tmp_path: Path, kinesis: FakeKinesis) -> None:
    async with visiting(tmp_path, dead_letter_queue="https://example.com/x") as visitor:
        await visitor.post("/letters/look")
        assert "'https://example.com/x' is no queue's URL; allowed: one such" in said(
            await Reader(visitor).until_over()
        )


async def test_the_end_of_the_console_gives_a_queue_back(
    tmp_path: Path, sqs: Sqs, queue: str, kinesis: FakeKinesis
) -> None:
    (tmp_path / "src.toml").write_text(SOURCES)
    async with visiting(tmp_path, sources=str(tmp_path / "src.toml"), dead_letter_queue=queue) as visitor:
        reader = Reader(visitor)
        await reader.send(await reader.count(await reader.look(), per_second="30"))
        while not in_streams(kinesis):
            await visitor.events("/letters/events", 1)
    sent = in_streams(kinesis)
    assert 0 < len(sent) < 30
    assert sqs.counts(queue)[1] == 0
    assert sorted(sent + keys_in(sqs, queue)) == ALL
