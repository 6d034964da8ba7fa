"""A policy that is updated while events flow."""

from pathlib import Path

import pytest

from tests.acceptance.evidence import in_order
from tests.acceptance.one_by_one import STREAM, OneByOne
from tests.acceptance.serving import eventually
from tests.acceptance.world import World


@pytest.mark.slow
async def test_batches_resume_within_a_minute_of_being_allowed_and_nothing_is_lost(
    one_by_one: OneByOne, world: World, tmp_path: Path
) -> None:
    await eventually(lambda: one_by_one.shown()["mode"] == "batches", seconds=75)
    one_by_one.finish()
    assert len(one_by_one.forwarder.said(message="PutRecords is allowed now: batches again")) == 1
    assert not one_by_one.forwarder.said(level="error")

    arrived: dict[str, list[str]] = {}
    for record in world.records_of(STREAM, tmp_path / "tail.log"):
        arrived.setdefault(record["partitionKey"], []).append(record["event"]["messageId"])
    assert sorted(one for ids in arrived.values() for one in ids) == sorted(one_by_one.acknowledged)
    for user, message_ids in arrived.items():
        in_order(user, message_ids)
