"""segment-analytics-python, as docs/sdks.md sets it up."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

import pytest

from tests.acceptance.sdks.arrivals import has, summary
from tests.acceptance.sdks.calls import CALLS
from tests.acceptance.sdks.documented import block, check_row
from tests.acceptance.sdks.site import Site


def set_up(holding: str, url: str) -> Any:
    """Run a block of the document; return what it calls `analytics`."""
    namespace: dict[str, Any] = {}
    exec(compile(block("Python", holding, url), "docs/sdks.md", "exec"), namespace)
    return namespace["analytics"]


def make_calls(analytics: Any) -> None:
    identify, track, page, screen, group, alias = CALLS.values()
    analytics.identify(identify["userId"], identify["traits"])
    analytics.track(track["userId"], track["event"], track["properties"])
    analytics.page(page["userId"], page["category"], page["name"], page["properties"])
    analytics.screen(screen["userId"], screen["category"], screen["name"], screen["properties"])
    analytics.group(group["userId"], group["groupId"], group["traits"])
    analytics.alias(alias["previousId"], alias["userId"])


@pytest.mark.parametrize(
    ("holding", "encoding"),
    [("import segment.analytics as", None), ("gzip=True", "gzip")],
    ids=["plain", "gzip"],
)
def test_each_call_arrives_as_it_was_sent(
    live: Site, since: datetime, monkeypatch: pytest.MonkeyPatch, holding: str, encoding: str | None
) -> None:
    monkeypatch.setattr("segment.analytics.default_client", None)  # it keeps one for ever
    analytics = set_up(holding, live.url)
    make_calls(analytics)
    analytics.shutdown()

    sent = live.sent()
    events = live.check(sent, since=since)
    assert {each.target for each in live.tap.exchanges()} == {"/v1/batch"}
    assert {each.headers.get("content-encoding") for each in live.tap.exchanges()} == {encoding}
    for type_, expected in CALLS.items():
        [event] = [found for [found] in events.values() if found["type"] == type_]
        assert has(event, expected), event
        assert event["channel"] == "server"
    check_row(
        "segment-analytics-python" + (", gzip" if encoding else ""),
        version("segment-analytics-python"),
        "the SDK",
        CALLS,
        "in batches" + (", gzip" if encoding else ""),
        summary(sent, events),
    )
