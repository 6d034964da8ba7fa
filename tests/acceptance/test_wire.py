"""Our own requests, against an AWS that checks signatures and permissions."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.credentials import ReadOnlyCredentials

from demo.story import OWNER, REGION
from headgate.delivery.wire.client import Route, Wire
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.forms import FormChoice
from headgate.delivery.wire.messages import Answer
from tests.acceptance.world import World
from tests.delivery.wire.kinesis import One

# With AUTH on, ministack breaks on CBOR and answers 500 with no body: `auto` has to find its way to JSON.
FORMS: list[FormChoice] = ["json", "auto"]


@pytest.fixture(scope="module")
def writer(world: World) -> ReadOnlyCredentials:
    put = ["kinesis:PutRecords", "kinesis:PutRecord"]
    user = world.aws.user(OWNER, "wire", action=put, resource="*")
    return ReadOnlyCredentials(user.access_key_id, user.secret_access_key, None, None)


@asynccontextmanager
async def wired(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.aws.endpoint_url)
    wire = Wire(botocore.session.Session())
    try:
        yield wire
    finally:
        await wire.close()


def records(form: str, count: int) -> list[One]:
    return [
        One(json.dumps({"wire": form, "n": n, "text": "ü\U0001f600"}).encode(), f"ключ-{form}-{n}")
        for n in range(count)
    ]


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_put_in_either_form_and_operation_is_what_is_read_back(
    form: FormChoice,
    world: World,
    writer: ReadOnlyCredentials,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sent = records(form, 40)
    route = Route(REGION, world.outputs.stream_name, form)
    async with wired(world, monkeypatch) as wire:
        answers = [
            await wire.put_records(route, writer, sent[:39]),
            await wire.put_record(route, writer, sent[39]),
        ]
    shard_ids: list[Any] = []
    for answer in answers:
        assert isinstance(answer, Answer)
        assert not answer.failed
        shard_ids += answer.shard_ids
    assert len(shard_ids) == 40
    assert all(shard_id.startswith("shardId-") for shard_id in shard_ids)
    back = world.records_of(world.outputs.stream_name, tmp_path / "tail.log")
    ours = {each["partitionKey"]: each["event"] for each in back if each["event"].get("wire") == form}
    assert ours == {each.partition_key: json.loads(each.data) for each in sent}


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_refused_says_what_to_do(
    form: FormChoice, world: World, writer: ReadOnlyCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = world.aws.user(OWNER, f"stranger-{form}", action="kinesis:PutRecord", resource="*")
    may_not = ReadOnlyCredentials(stranger.access_key_id, stranger.secret_access_key, None, None)
    forged = writer._replace(secret_key="another")
    route = Route(REGION, world.outputs.stream_name, form)
    async with wired(world, monkeypatch) as wire:
        wrong = await wire.put_records(route, forged, records(form, 1))
        denied = await wire.put_records(route, may_not, records(form, 1))
        single = await wire.put_record(route, may_not, records(form, 1)[0])
        missing = await wire.put_records(replace(route, stream_name="missing"), writer, records(form, 1))
        too_long = await wire.put_records(route, writer, [One(b"d", "k" * 257)])
    assert isinstance(wrong, Fault)
    assert wrong.verdict is Verdict.REFRESH
    assert isinstance(denied, Fault)
    assert denied.denied
    assert isinstance(single, Answer)
    assert isinstance(missing, Fault)
    assert (missing.verdict, missing.code) == (Verdict.PAUSE, "ResourceNotFoundException")
    assert isinstance(too_long, Fault)
    assert too_long.verdict is Verdict.SPLIT
