"""What Segment's SDKs make of a forwarder that refuses for a while, or is away: nothing is lost by it."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from headgate.testing import Delay
from tests.acceptance.browsing import chromium_path
from tests.acceptance.sdks.arrivals import Event, sent_by
from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.documented import ROOT
from tests.acceptance.sdks.pages import BATCHED, SINGLE
from tests.acceptance.sdks.senders import Send, browser_sdk, node_sdk, python_sdk
from tests.acceptance.sdks.site import STREAM, Site
from tests.acceptance.world import post

pytestmark = pytest.mark.slow

Start = Callable[[], Mapping[str, Send]]
"""Starts SDKs, and returns by the name of each how to have it send."""

CONSUMER = ROOT / "examples/consumer/consumer.py"
BEFORE, DURING, AFTER = range(10), range(10, 30), range(30, 40)


@pytest.fixture
def start(request: pytest.FixtureRequest, idle: Site, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin() -> Mapping[str, Send]:
            (tmp_path / "node").mkdir()
            sdks = {"python": python_sdk(idle.url), "node": node_sdk(idle.url, tmp_path / "node")}
            if chromium_path():  # where there is none, the tests of the browser say so
                chromium = request.getfixturevalue("chromium")
                sdks["single"] = browser_sdk(idle.url, chromium, "single", SINGLE)
                sdks["batched"] = browser_sdk(idle.url, chromium, "batched", BATCHED)
            return {name: running.enter_context(sdk) for name, sdk in sdks.items()}

        yield begin


def send(sdks: Mapping[str, Send], numbers: range) -> None:
    for each in sdks.values():
        each(numbers)


def refused(live: Site, status: int) -> set[str]:
    """Return the SDKs that were answered with this status; 0 for not at all."""
    return {
        sent.event["properties"]["sdk"]
        for exchange in live.tap.exchanges()
        if exchange.status == status
        for sent in sent_by(exchange)
    }


def consumed(live: Site) -> list[Event]:
    """Return what the example of a consumer prints."""
    printed = subprocess.run(
        [sys.executable, str(CONSUMER), STREAM],
        env=os.environ | live.kinesis.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    return [json.loads(line) for line in printed.splitlines()]


def all_answered(live: Site) -> bool:
    """Return whether no SDK waits for the answer to events that it has just sent, perhaps once more."""
    last = {one.message_id: exchange.status for exchange in live.tap.exchanges() for one in sent_by(exchange)}
    return set(last.values()) == {200}


def check_all(
    live: Site, sdks: Mapping[str, Send], since: datetime, numbers: range = range(AFTER.stop)
) -> int:
    """All that was sent has arrived, each event under one message ID; return how many came once more."""
    live.wait_for(len(sdks) * len(numbers), seconds=30)
    live.tap.until(lambda: all_answered(live))
    events = live.check(live.sent(), since=since)
    by_number: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for message_id, found in events.items():
        for event in found:
            by_number[event["properties"]["sdk"], event["properties"]["n"]].add(message_id)
    assert by_number.keys() == {(sdk, n) for sdk in sdks for n in numbers}
    assert {len(ids) for ids in by_number.values()} == {1}
    return sum(len(found) - 1 for found in events.values())


def begun(idle: Site, start: Start) -> Mapping[str, Send]:
    """Start the SDKs, and let each deliver what comes before the trouble."""
    sdks = start()
    send(sdks, BEFORE)
    idle.wait_for(len(sdks) * len(BEFORE))
    return sdks


def test_a_source_above_its_rate_loses_nothing(idle: Site, since: datetime, start: Start) -> None:
    idle.limit(40)
    with idle.serving() as (url, _):
        sdks = start()
        # Events that are none count too, and a request may overdraw: nothing more is taken for three seconds.
        assert post(url, "/v1/batch", {"batch": [{}] * 160}, write_key=WRITE_KEY).status == 400
        send(sdks, range(20))
        assert check_all(idle, sdks, since, numbers=range(20)) == 0
    assert refused(idle, 429) == sdks.keys()


def test_a_stream_that_is_missing_for_a_while_loses_nothing(
    idle: Site, since: datetime, start: Start
) -> None:
    with idle.serving():
        sdks = begun(idle, start)
        idle.kinesis.delete_stream(STREAM)
        send(sdks, DURING)
        idle.tap.until(lambda: refused(idle, 503) == sdks.keys())
        idle.kinesis.create_stream(STREAM, 2)
        send(sdks, AFTER)
        assert check_all(idle, sdks, since) == 0


def test_what_was_accepted_but_not_acknowledged_comes_again_under_its_message_id(
    idle: Site, since: datetime, start: Start
) -> None:
    with idle.serving("--acknowledge-within", "0.3"):
        sdks = begun(idle, start)
        with idle.kinesis.faults.add(Delay(0.8)):
            send(sdks, DURING)
            idle.tap.until(lambda: refused(idle, 503) == sdks.keys())
        send(sdks, AFTER)
        assert check_all(idle, sdks, since) > 0
    read = [event["messageId"] for event in consumed(idle)]
    assert len(read) == len(set(read)) == len(sdks) * AFTER.stop


def test_a_forwarder_that_is_stopped_and_started_again_loses_nothing(
    idle: Site, since: datetime, start: Start
) -> None:
    with idle.serving():
        sdks = begun(idle, start)
    send(sdks, DURING)
    idle.tap.until(lambda: idle.tap.resets >= 2 * len(sdks))
    with idle.serving():
        send(sdks, AFTER)
        assert check_all(idle, sdks, since) == 0
    again = [each for each in idle.tap.exchanges() if "x-retry-count" in each.headers]
    assert {sent.event["properties"]["sdk"] for each in again for sent in sent_by(each)} == sdks.keys()
