"""@segment/analytics-next in Chromium, on a page of another origin, as docs/sdks.md sets it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from headgate.testing import Delay
from tests.acceptance.sdks import pages
from tests.acceptance.sdks.arrivals import Event, has, summary
from tests.acceptance.sdks.calls import CALLS
from tests.acceptance.sdks.documented import block, check_row
from tests.acceptance.sdks.node import package_version
from tests.acceptance.sdks.pages import BATCHED, KEEPALIVE, SINGLE
from tests.acceptance.sdks.site import Site


@contextmanager
def opened(chromium: Browser, live: Site, holding: str) -> Iterator[Page]:
    """Open a page that the document's code sets up, in a profile of its own; it may ask nobody but us."""
    with pages.serving(block("Browser", holding, live.url), CALLS) as url:
        context = chromium.new_context()
        page = context.new_page()
        asked: set[str] = set()
        faults: list[str] = []
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.evaluate("analytics.ready()")
        yield page
        context.close()
        assert asked <= {urlsplit(url).netloc, urlsplit(live.url).netloc}
        assert not faults


def check_calls(events: dict[str, list[Event]]) -> None:
    """Each call has arrived once, as it was made."""
    for type_, expected in CALLS.items():
        [event] = [found for [found] in events.values() if found["type"] == type_]
        assert has(event, expected), event
        assert str(event["messageId"]).startswith("ajs-next-")
        assert event["anonymousId"]
        assert event["channel"] == "client"
        assert event["context"]["ip"] == "127.0.0.1"
        assert "Chrome" in event["context"]["userAgent"]
        assert "writeKey" not in event


def check_document(live: Site, since: datetime, how: str, form: str) -> dict[str, list[Event]]:
    """All has arrived as it was sent, and the document says so."""
    sent = live.sent()
    events = live.check(sent, since=since)
    check_row(
        f"@segment/analytics-next, {how}",
        package_version("@segment/analytics-next"),
        "the SDK, in Chromium",
        CALLS,
        form,
        summary(sent, events),
    )
    return events


def test_each_call_arrives_as_it_was_sent(live: Site, since: datetime, chromium: Browser) -> None:
    with opened(chromium, live, SINGLE) as page:
        page.evaluate("makeCalls()")
        live.wait_for(6)
    check_calls(check_document(live, since, "single", "a request each"))
    assert {each.target for each in live.tap.exchanges()} == {f"/v1/{type_[0]}" for type_ in CALLS}


def test_a_browser_asks_first_and_is_allowed_what_the_sdk_sends(live: Site, chromium: Browser) -> None:
    with opened(chromium, live, SINGLE) as page:
        page.evaluate("makeCalls()")
        live.wait_for(6)
        origin = page.evaluate("location.origin")
    [preflight, *_] = live.tap.exchanges("OPTIONS")
    assert preflight.headers["origin"] == origin
    assert "authorization" in preflight.headers["access-control-request-headers"]
    posts = live.tap.exchanges()
    assert {each.headers["content-type"] for each in posts} == {"text/plain"}
    assert all(each.headers["authorization"].startswith("Basic ") for each in posts)


def test_settings_come_from_us_and_point_at_us(live: Site, chromium: Browser) -> None:
    with opened(chromium, live, SINGLE) as page:
        settings = page.evaluate(
            "(url) => fetch(url).then((answer) => answer.json())",
            f"{live.url}/v1/projects/wk_live_1/settings",
        )
    host = urlsplit(live.url).netloc
    assert settings["integrations"] == {
        "Segment.io": {"apiKey": "wk_live_1", "apiHost": f"{host}/v1", "protocol": "http"}
    }
    assert {each.target for each in live.tap.exchanges("GET")} == {"/v1/projects/wk_live_1/settings"}


def test_batches_arrive_as_they_were_sent(live: Site, since: datetime, chromium: Browser) -> None:
    with opened(chromium, live, BATCHED) as page:
        page.evaluate("makeCalls()")
        page.evaluate("for (let n = 0; n < 4; n++) analytics.track('Product Viewed', { n })")
        live.wait_for(10)
    events = check_document(live, since, "batched", "and 4 more track; in one batch of 10")
    [exchange] = live.tap.exchanges()
    assert exchange.target == "/v1/b"
    more = {key: found for key, found in events.items() if found[0].get("event") == "Product Viewed"}
    assert sorted(found["properties"]["n"] for [found] in more.values()) == [0, 1, 2, 3]
    check_calls({key: found for key, found in events.items() if key not in more})


def test_what_a_batch_holds_is_sent_as_the_page_is_left(
    live: Site, since: datetime, chromium: Browser
) -> None:
    with opened(chromium, live, BATCHED) as page:
        page.evaluate("makeCalls()")
        page.evaluate("analytics.track('Checkout Left').then(() => true)")
        assert not live.tap.exchanges()
        page.goto(page.url + "elsewhere")
        live.wait_for(7)
    events = check_document(
        live, since, "batched, page left", "and 1 more track; in one batch, as it is left"
    )
    assert [each.target for each in live.tap.exchanges()] == ["/v1/b"]
    check_calls({key: found for key, found in events.items() if found[0].get("event") != "Checkout Left"})


def test_what_is_under_way_outlives_its_page(live: Site, since: datetime, chromium: Browser) -> None:
    with opened(chromium, live, KEEPALIVE) as page, live.kinesis.faults.add(Delay(1)):
        page.evaluate("makeCalls()")
        live.tap.until(lambda: len(live.tap.exchanges()) == 6)
        page.goto(page.url + "?again")
        page.evaluate("analytics.ready()")
        live.wait_for(6)
    live.tap.until(lambda: 0 not in live.tap.statuses())
    # A page that is left keeps what it does not know to be sent, and the next page sends it again.
    events = live.check(live.sent(), since=since)
    check_calls({key: records[:1] for key, records in events.items()})
