"""Spilling, draining and a real delivery together, and with no more permissions than the document names."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import botocore.session
import pytest

from demo.embedded_aws import Credentials, EmbeddedAws
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.target import Target
from headgate.delivery.wire.client import Wire
from headgate.overflow.dead_letters import QueueDeadLetters
from headgate.overflow.drain import Drainer
from headgate.overflow.overflow import Overflow
from headgate.overflow.queue import Queue
from headgate.testing import FailRequests, FakeKinesis
from tests.overflow.sqs import REGION, Sqs, client_of, until

TARGET = Target("src", REGION, "events", None, "src")
DOCS = (Path(__file__).parents[2] / "docs/overflow.md").read_text(encoding="utf-8")
KINESIS_DOWN = FailRequests("ResourceNotFoundException", stream="events")


@asynccontextmanager
async def draining(queue: Queue, dead: Queue) -> AsyncIterator[None]:
    session = botocore.session.get_session()
    wire = Wire(session)
    delivery = Delivery(wire, CredentialsCache(session), settings=DeliverySettings(acknowledge_within=3_600))
    drainer = Drainer(queue, QueueDeadLetters(dead), delivery, lambda: {TARGET}, spread=lambda: 0.0)
    running = asyncio.create_task(drainer.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await drainer.close(0)
        await delivery.close()
        await wire.close()


async def spill(queue: Queue, keys: Sequence[str]) -> list[bool]:
    overflow = Overflow(queue)
    told: list[asyncio.Future[bool]] = []
    for key in keys:
        told.append(asyncio.get_running_loop().create_future())
        overflow.spill(TARGET, [(key, json.dumps({"messageId": key}).encode())], told[-1].set_result)
    safe = await asyncio.gather(*told)
    await overflow.close()
    return safe


@pytest.mark.slow
async def test_what_was_spilled_in_an_outage_is_in_kinesis_after_it(
    sqs: Sqs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, dead_url = sqs.create_queue(name), sqs.create_queue(f"{name}-dead")
    keys = [f"m{number}" for number in range(60)]
    with FakeKinesis(streams={"events": 4}) as kinesis:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", kinesis.url)
        outage = kinesis.faults.add(KINESIS_DOWN)
        async with draining(Queue(sqs.session, url), Queue(sqs.session, dead_url)):
            for start in (0, 20, 40):
                assert all(await spill(Queue(sqs.session, url), keys[start : start + 20]))
            await until(lambda: outage.struck)
            assert kinesis.ledger.records("events") == []
            outage.lift()
            await until(lambda: sqs.counts(url) == (0, 0), 60)
        assert sorted(kinesis.ledger.by_message_id("events")) == sorted(keys)
        assert sqs.counts(dead_url) == (0, 0)


async def test_the_documented_permissions_suffice(
    ministack: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, owner = EmbeddedAws(ministack), Credentials("111122223333", "unchecked")
    rows = re.findall(r"^\| (overflow|dead letters) \| `headgate serve` \| (.*) \|$", DOCS, re.MULTILINE)
    named = {queue: re.findall(r"`(sqs:\w+)`", row) for queue, row in rows}
    # AWS asks for the action of the single call; ministack asks for an action of the batch's name.
    actions = {
        queue: [each + batch for each in found for batch in ("", "Batch")] for queue, found in named.items()
    }
    admin = client_of(ministack)
    urls = {each: admin.create_queue(QueueName=f"{name}-{each[:4]}")["QueueUrl"] for each in actions}
    arns = {
        each: admin.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for each, url in urls.items()
    }
    user = aws.user(owner.access_key_id, name, action=actions["overflow"], resource=arns["overflow"])
    aws.client("iam", owner).put_user_policy(
        UserName=name,
        PolicyName="dead",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": actions["dead letters"],
                    "Resource": arns["dead letters"],
                },
            }
        ),
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", ministack)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", user.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", user.secret_access_key)
    session = botocore.session.get_session()
    queue, dead = Queue(session, urls["overflow"]), Queue(session, urls["dead letters"])
    with FakeKinesis(streams={"events": 4}) as kinesis:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", kinesis.url)
        assert (await queue.attributes()).limit == (await dead.attributes()).limit == 1_048_576
        assert await queue.send(["nobody can read this"], 5) == [True]
        async with draining(queue, dead):
            assert all(await spill(queue, ["m1", "m2"]))
            await until(lambda: len(kinesis.ledger.by_message_id("events")) == 2)
            await until(lambda: _count(admin, urls["dead letters"]) == 1)
            await until(lambda: _count(admin, urls["overflow"]) == 0)


def _count(client: object, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    said = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]  # type: ignore[attr-defined]
    return sum(int(said[each]) for each in names)
