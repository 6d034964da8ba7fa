"""@segment/analytics-node, as docs/sdks.md sets it up."""

from datetime import datetime
from pathlib import Path

from tests.acceptance.sdks import node
from tests.acceptance.sdks.arrivals import has, summary
from tests.acceptance.sdks.calls import CALLS
from tests.acceptance.sdks.documented import block, check_row
from tests.acceptance.sdks.site import Site

_MAKE_CALLS = """
for (const [type, call] of Object.entries(calls)) analytics[type](call)
await analytics.closeAndFlush()
"""


def test_each_call_arrives_as_it_was_sent(live: Site, since: datetime, tmp_path: Path) -> None:
    code = block("Node.js", "new Analytics", live.url) + _MAKE_CALLS
    node.finish(node.start(code, tmp_path, calls=CALLS))

    sent = live.sent()
    events = live.check(sent, since=since)
    assert {each.target for each in live.tap.exchanges()} == {"/v1/batch"}
    for type_, expected in CALLS.items():
        [event] = [found for [found] in events.values() if found["type"] == type_]
        assert has(event, expected), event
        assert event["messageId"].startswith("node-next-")
        assert event["channel"] == "server"
    check_row(
        "@segment/analytics-node",
        node.package_version("@segment/analytics-node"),
        "the SDK",
        CALLS,
        "in batches",
        summary(sent, events),
    )
