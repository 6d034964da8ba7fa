"""`headgate console` on the running system of `make console`, in a browser."""

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect
from rich.console import Console

from demo.console import RunningSystem, console_on, running_system
from demo.estate import EVENTS, OLD_LETTERS, ORDERS, OTHER_EVENTS, REGION, TABLE, WEBSITE
from demo.processes import free_port
from demo.screen import Screen
from demo.traffic import post
from headgate.console.pages import NAVIGATION
from tests.acceptance.another_site import CHANGING, READING, another_site
from tests.acceptance.browsing import browser, opened
from tests.console.axe import violations

ELSEWHERE = "evil.example"
"""A name that leads to this machine, as a rebound one does."""
KINDS = "(element) => [...element.querySelectorAll('*')].map((each) => each.tagName)"
PATHS = [each.path for each in NAVIGATION]


@dataclass(frozen=True)
class Opened:
    """A console, and a browser that followed its link."""

    system: RunningSystem
    browser: Browser
    url: str
    link: str
    state: StorageState
    overview: Page
    """Overview as it reads the streams, open from the first test to the last."""

    @contextmanager
    def page(self, path: str = "/", **context: Any) -> Iterator[Page]:
        """Open a page of it."""
        with opened(self.browser, self.url + path, storage_state=self.state, **context) as page:
            yield page

    def settings(self) -> Any:
        """Return all that is in the table, and when it was changed."""
        return self.system.estate.owner("dynamodb").scan(TableName=TABLE)["Items"]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    quiet = Screen(Console(file=io.StringIO()))
    with running_system(quiet, tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture(scope="module")
def console(system: RunningSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    log = tmp_path_factory.mktemp("console") / "log"
    with (
        console_on(system, system.estate.operator, log) as link,
        browser(f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1") as chromium,
    ):
        context = chromium.new_context()
        context.new_page().goto(link)
        state = context.storage_state()
        context.close()
        url = link.partition("/enter")[0]
        with opened(chromium, url + "/?shards=1", storage_state=state) as overview:
            yield Opened(system, chromium, url, link, state, overview)
        assert system.traffic.refused == []


def test_a_link_lets_one_browser_in_once(console: Opened) -> None:
    with console.page() as page:
        expect(page).to_have_title("Overview · Headgate")
    [cookie] = console.state["cookies"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    another = console.browser.new_context()
    page = another.new_page()
    answer = page.goto(console.link)
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("body")).to_contain_text("This link was used")
    assert another.cookies() == []
    another.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_used_by_keyboard_and_says_what_it_is(console: Opened, path: str) -> None:
    [title] = [each.title for each in NAVIGATION if each.path == path]
    with console.page(path) as page:
        expect(page).to_have_title(f"{title} · Headgate")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def test_the_navigation_is_walked_by_keyboard(console: Opened) -> None:
    with console.page() as page:
        for each in NAVIGATION:
            link = page.get_by_role("navigation").get_by_role("link", name=each.title, exact=True)
            link.focus()
            page.keyboard.press("Enter")
            expect(page).to_have_title(f"{each.title} · Headgate")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_follow_the_scheme(console: Opened, scheme: Any, tmp_path: Path) -> None:
    phone = {"width": 360, "height": 740}
    with console.page(viewport=phone, color_scheme=scheme) as page:
        for path in PATHS:
            page.goto(console.url + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        channels = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (sum(map(int, channels)) > 3 * 128) is (scheme == "light")


def test_a_page_of_a_console_that_has_ended_says_so(
    console: Opened, system: RunningSystem, tmp_path: Path
) -> None:
    port = ("--port", str(free_port()))
    context = console.browser.new_context()
    page = context.new_page()
    with console_on(system, system.estate.operator, tmp_path / "first", *port) as link:
        page.goto(link)
        expect(page).to_have_title("Overview · Headgate")
    with console_on(system, system.estate.operator, tmp_path / "second", *port) as link:
        page.get_by_role("link", name="Dead letters").click()
        expect(page.locator("body")).to_contain_text("The link that `headgate console` prints")
        page.goto(link)
        expect(page).to_have_title("Overview · Headgate")
    context.close()


@pytest.mark.parametrize("host", ["127.0.0.1", ELSEWHERE])
def test_a_page_of_another_origin_gets_nothing_in_a_browser_that_was_let_in(
    console: Opened, host: str
) -> None:
    before = console.settings()
    port = urlsplit(console.url).port
    context = console.browser.new_context(storage_state=console.state)
    page = context.new_page()
    with another_site() as site:
        page.goto(f"http://{host}:{site}/")
        # What it tries is what a page can do: of its own origin it gets everything.
        own = page.evaluate("attemptAll", [["read", "/"], ["frame", "/"], ["opened", "/"], ["form", "/"]])
        assert [what[:4] for *_, what in own] == ["read"] * 4
        statuses: set[int] = set()
        page.on(
            "response",
            lambda answer: (
                statuses.add(answer.status)
                if not answer.request.is_navigation_request() and urlsplit(answer.url).port == port
                else None
            ),
        )
        targets = []
        for its in (f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", ELSEWHERE)):
            files = ("/static/console.js", "/static/icon.svg", "/vendor/htmx.min.js")
            targets += [[how, its + path] for path in (*PATHS, *files) for how in READING]
            targets += [[how, its + path] for path in PATHS for how in CHANGING]
            targets += [["opened", its + "/"]]
        assert page.evaluate("attemptAll", targets) == []
        assert statuses <= {401, 403, 421}
    context.close()
    assert console.settings() == before


def test_another_host_name_that_leads_here_gets_nothing(console: Opened) -> None:
    port = urlsplit(console.url).port
    context = console.browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://{ELSEWHERE}:{port}/")
    assert answer is not None
    assert answer.status == 421
    # Now the page is of that name, and asks its own origin, as one whose name was rebound would.
    said = page.evaluate("fetch('/live').then(async (answer) => [answer.status, await answer.text()])")
    assert said == [421, "This is not the host name of the console.\n"]
    assert page.evaluate("fetch('/x', {method: 'POST'}).then((answer) => answer.status)") == 421
    context.close()


def test_a_changed_stream_name_is_in_force_under_load_and_nothing_is_lost(console: Opened) -> None:
    with console.page("/destinations") as page:
        page.get_by_role("link", name=EVENTS).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{REGION}/{EVENTS}")
        page.get_by_label("AWS Kinesis Stream Name").fill(OTHER_EVENTS)
        page.get_by_role("button", name="Save the destination").click()
        expect(page.get_by_text("Saved as version")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{REGION}/{OTHER_EVENTS}")
        history = page.locator("section", has=page.get_by_role("heading", name="History"))
        expect(history).to_contain_text(f"{REGION}/{OTHER_EVENTS}: stream_name: - → {OTHER_EVENTS}")
    acknowledged = console.system.traffic.acknowledged
    expect_soon(lambda: set(acknowledged[-20:]) <= message_ids(console.system, OTHER_EVENTS))
    sent = set(acknowledged)
    assert len(sent) > 100
    assert sent <= message_ids(console.system, EVENTS) | message_ids(console.system, OTHER_EVENTS)


@pytest.mark.parametrize(
    ("label", "typed", "said"),
    [
        ("AWS Kinesis Stream Region", "us-west2", "us-west-2"),
        ("AWS Kinesis Stream Name", "no spaces", "allowed"),
        ("Role Address", "arn:aws:sts::111122223333:assumed-role/writer/me", "a role's ARN such as"),
        ("Secret ID", "not allowed!", "secret_id"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_typed(
    console: Opened, label: str, typed: str, said: str
) -> None:
    before = console.settings()
    with console.page("/destinations", allowed=[422]) as page:
        page.get_by_role("link", name=ORDERS).click()
        field = page.get_by_label(label, exact=True)
        field.fill(typed)
        wrong = page.locator(f"#wrong-{field.get_attribute('id')}")
        expect(wrong).to_contain_text(said)
        assert str(wrong.get_attribute("id")) in str(field.get_attribute("aria-describedby"))
        page.get_by_role("button", name="Save the destination").click()
        expect(page.locator("#said-destination")).to_contain_text(re.compile(f"Not saved. Wrong: .*{label}"))
        expect(field).to_have_value(typed)
    assert console.settings() == before


def test_what_others_have_changed_meanwhile_is_not_overwritten(console: Opened) -> None:
    with console.page("/destinations", allowed=[409]) as late, console.page("/destinations") as early:
        for page in (late, early):
            page.get_by_role("link", name=ORDERS).click()
        early.get_by_label("Ordering").select_option("strict")
        early.get_by_role("button", name="Save the destination").click()
        expect(early.get_by_text("Saved as version")).to_be_visible()
        late.get_by_label("Largest record").fill("2048")
        late.get_by_role("button", name="Save the destination").click()
        said = late.locator("#said-destination")
        expect(said).to_contain_text("Not saved: the source is at version")
        expect(said).to_contain_text("ordering: lane → strict")
        expect(late.get_by_label("Largest record")).to_have_value("2048")


def test_a_check_is_told_step_by_step(console: Opened) -> None:
    with console.page("/destinations") as page:
        page.get_by_role("link", name=ORDERS).click()
        page.get_by_role("button", name="Check", exact=True).click()
        steps = page.get_by_role("region", name="Steps of the check").get_by_role("row")
        expect(steps.filter(has_text="role").first).to_contain_text("assumed with")
        expect(page.get_by_text("as far as can be told from here")).to_be_visible()


def test_dead_letters_are_looked_at_and_sent_again(console: Opened) -> None:
    with console.page("/letters") as page:
        page.get_by_role("button", name="Look", exact=True).click()
        found = page.get_by_role("region", name="By reason")
        old = found.get_by_role("row").filter(has_text="overflow_expired")
        expect(old).to_contain_text("it lay in the overflow queue for 13.0 days")
        expect(found.get_by_role("row").filter(has_text="too_large")).to_contain_text("allowed: 1,048,576")
        old.get_by_role("button", name="Open").click()
        page.get_by_role("button", name="Show").first.click()
        expect(page.get_by_role("heading", name="Letter", exact=True)).to_be_focused()
        assert violations(page) == []
        event = json.loads(page.get_by_role("region", name="Event", exact=True).inner_text())
        old.get_by_role("button", name="Send again").click()
        page.get_by_role("button", name=f"Send {OLD_LETTERS} again").click()
        expect(page.locator("#work")).to_contain_text(f"{OLD_LETTERS} sent, 0 kept.")
        page.get_by_role("button", name="Look", exact=True).click()
        expect(found.get_by_role("row").filter(has_text="overflow_expired")).to_have_count(0)
    assert event["messageId"] in message_ids(console.system, EVENTS)


def test_live_events_come_as_they_are_sent_and_one_is_shown_whole(console: Opened) -> None:
    with console.page("/live") as page:
        rows = page.locator("#rows tr")
        expect(rows.first).to_be_visible(timeout=15_000)
        before = rows.first.get_attribute("id")
        expect_soon(lambda: rows.first.get_attribute("id") != before)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        rows.first.get_by_role("button").click()
        record = page.get_by_role("region", name="Record", exact=True)
        expect(record).to_contain_text("Partition key")
        assert violations(page) == []
        event = json.loads(record.locator("pre").inner_text())
        page.get_by_role("button", name="Resume").click()
        page.get_by_label("userId").fill(event["userId"])
        page.get_by_role("button", name="Filter").click()
        expect(rows.first).to_be_visible(timeout=15_000)
        assert set(page.locator("#rows td:nth-child(4)").all_inner_texts()) == {event["userId"]}


def test_hostile_events_are_shown_and_do_nothing(console: Opened) -> None:
    estate, user = console.system.estate, "user-hostile"
    markup = "<script>alert(1)</script><img src=x onerror=alert(2)><style>*{display:none}</style>"
    hostile: list[dict[str, Any]] = [
        {"event": markup, "properties": {markup: markup, "in a link": "javascript:alert(3)"}},
        {"event": "'\"><svg onload=alert(4)> {{ 7 * 7 }} ${7*7}", "properties": {"hx-get": "/letters"}},
        {"event": "Huge", "properties": {"text": "W" * 30_000, "deep": nested(200)}},
        {
            "event": "\x00\x07\x1b[2J\u202eevil\u2066\ufeff",
            "properties": {"binary": "\x00\x01\x7f\x80\xff" * 500},
        },
        {"event": "data: x\n\nevent: rows\ndata: <b>forged</b>\r\rid: 9", "properties": {}},
    ]
    with console.page(f"/live?userId={user}") as page:
        for number, each in enumerate(hostile):
            body = {"type": "track", "userId": user, "messageId": f"hostile-{number}", **each}
            assert post(console.system.url, "/v1/track", estate.write_keys[WEBSITE], body) == 200
        rows = page.locator("#rows tr")
        expect(rows).to_have_count(len(hostile), timeout=20_000)
        made = page.locator("#rows").evaluate(KINDS)
        assert set(made) <= {"TR", "TD", "BUTTON", "TIME", "SPAN", "BDI"}
        expect(page.locator("#rows")).to_contain_text("<script>alert(1)</script><img src=x")
        for number in range(len(hostile)):
            rows.nth(number).get_by_role("button").click()
            record = page.locator("#record")
            expect(record).to_contain_text(re.compile(r"hostile-\d"))
            assert set(record.evaluate(KINDS)) <= {"H2", "H3", "DL", "DT", "DD", "BDI", "PRE", "P"}
            shown = record.locator("pre").inner_text()
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", shown)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        expect(page.get_by_text("forged", exact=True)).to_have_count(0)


def test_what_the_event_tester_sends_is_found_in_its_stream_and_shard(console: Opened) -> None:
    with console.page("/tester") as page:
        page.get_by_label("Write key").fill(console.system.estate.write_keys[WEBSITE])
        page.get_by_label("Call").select_option("identify")
        expect(page.get_by_label("Body")).to_have_value(re.compile('"type": "identify"'))
        expect(page.locator("#check")).to_contain_text("It is taken")
        body = json.loads(page.get_by_label("Body").input_value())
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("region", name="Answer", exact=True)).to_contain_text("200 OK")
        records = page.get_by_role("region", name="Records")
        expect(records).to_contain_text("1 of 1 read back", timeout=20_000)
        expect(records).to_contain_text(re.compile(r"Event 0, identify: in shardId-\d{12}"))
        assert violations(page) == []
    streams = {each: message_ids(console.system, each) for each in (EVENTS, OTHER_EVENTS)}
    assert any(body["messageId"] in found for found in streams.values())


def test_the_event_tester_says_what_is_wrong_before_anything_is_sent(console: Opened) -> None:
    with console.page("/tester") as page:
        page.get_by_label("Body").fill('{"type": "track", "event": "Nobody\'s"}')
        expect(page.locator("#check")).to_contain_text("no_user_anon_id")
        page.get_by_label("Body").fill('{"type": ')
        expect(page.locator("#check .wrong")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(console: Opened, scheme: Any) -> None:
    with console.page(color_scheme=scheme) as page:
        for path in (*PATHS, "/destinations/add"):
            page.goto(console.url + path)
            page.wait_for_load_state("load")
            assert violations(page) == [], path
        page.goto(console.url + "/destinations")
        page.get_by_role("link", name=ORDERS).click()
        expect(page.get_by_text("Version 1")).to_be_visible()
        assert violations(page) == []


def test_overview_has_moved_with_the_traffic_all_the_time(console: Opened) -> None:
    page = console.overview
    page.bring_to_front()
    expect(page.get_by_text("Delivering to 2 destinations")).to_be_visible()
    row = page.get_by_role("table", name="Sources").get_by_role("row", name="Website")
    expect(page.locator("#over-time ~ .plots canvas")).to_have_count(6)
    before, drawn = accepted(row), pixels(page)
    expect_soon(lambda: accepted(row) != before)
    expect_soon(lambda: pixels(page) != drawn)
    loads = page.get_by_role("table", name="Load per shard")
    shard = loads.get_by_role("row").filter(has_text="shardId-000000000001").first
    expect(shard).to_be_visible(timeout=20_000)
    assert violations(page) == []


def test_whoever_may_only_read_sees_every_page_and_changes_nothing(
    console: Opened, system: RunningSystem, tmp_path: Path
) -> None:
    before = console.settings()
    with console_on(system, system.estate.reader, tmp_path / "log") as link:
        url = link.partition("/enter")[0]
        with opened(console.browser, link, allowed=[502]) as page:
            for path in PATHS:
                page.goto(url + path)
                expect(page.get_by_role("heading", level=1)).not_to_contain_text("cannot be shown")
            page.get_by_role("button", name="Look", exact=True).click()
            expect(page.get_by_role("region", name="By reason")).to_contain_text("too_large")
            page.goto(url + "/live")
            expect(page.locator("#rows tr").first).to_be_visible(timeout=15_000)
            page.goto(url + "/destinations")
            page.get_by_role("link", name=ORDERS).click()
            page.get_by_label("Largest record").fill("4096")
            page.get_by_role("button", name="Save the destination").click()
            expect(page.locator("#said-destination")).to_contain_text("not authorized to perform")
    assert console.settings() == before


def nested(levels: int) -> Any:
    """Return lists in lists."""
    return [nested(levels - 1)] if levels else []


def accepted(row: Locator) -> str:
    return row.get_by_role("cell").nth(2).inner_text()


def pixels(page: Page) -> str:
    """Return what the first plot shows."""
    return str(page.locator("figure canvas").first.evaluate("(canvas) => canvas.toDataURL()"))


def expect_soon(holds: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.2)


def message_ids(system: RunningSystem, stream: str) -> set[str]:
    """Return the message IDs of all that is in a stream."""
    kinesis, found = system.estate.owner("kinesis"), set()
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        asked = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator, behind = kinesis.get_shard_iterator(**asked)["ShardIterator"], 1
        while behind:
            answer = kinesis.get_records(ShardIterator=iterator)
            iterator, behind = answer["NextShardIterator"], answer["MillisBehindLatest"]
            found |= {json.loads(each["Data"])["messageId"] for each in answer["Records"]}
    return found
