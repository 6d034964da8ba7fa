"""`headgate console` on the running system of `make console`, in a browser."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from rich.console import Console

from demo.console import RunningSystem, running_system
from demo.estate import TABLE
from demo.processes import free_port, running
from demo.screen import Screen
from headgate.console.pages import NAVIGATION
from tests.acceptance.another_site import CHANGING, READING, another_site
from tests.acceptance.browsing import browser, opened

ELSEWHERE = "evil.example"
"""A name that leads to this machine, as a rebound one does."""
PATHS = [each.path for each in NAVIGATION]


@dataclass(frozen=True)
class Opened:
    """A console, and a browser that followed its link."""

    system: RunningSystem
    browser: Browser
    url: str
    link: str
    state: StorageState

    @contextmanager
    def page(self, path: str = "/", **context: Any) -> Iterator[Page]:
        """Open a page of it."""
        with opened(self.browser, self.url + path, storage_state=self.state, **context) as page:
            yield page

    def settings(self) -> Any:
        """Return all that is in the table, and when it was changed."""
        return self.system.estate.owner("dynamodb").scan(TableName=TABLE)["Items"]


@contextmanager
def console_of(system: RunningSystem, log: Path, *options: str) -> Iterator[str]:
    """Run a console of the system's; give its link."""
    command = [*system.command, "--no-open", *options]
    environment = system.estate.operator_environment
    with running("headgate console", command, environment=environment, log=log) as child:
        child.wait_until(lambda: "/enter?once=" in log.read_text(), 20)
        yield log.read_text().split()[-1]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    quiet = Screen(Console(file=io.StringIO()))
    with running_system(quiet, tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture(scope="module")
def console(system: RunningSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    log = tmp_path_factory.mktemp("console") / "log"
    with (
        console_of(system, log) as link,
        browser(f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1") as chromium,
    ):
        context = chromium.new_context()
        context.new_page().goto(link)
        state = context.storage_state()
        context.close()
        yield Opened(system, chromium, link.partition("/enter")[0], link, state)
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


def test_a_page_of_a_console_that_has_ended_says_so(console: Opened, tmp_path: Path) -> None:
    port = ("--port", str(free_port()))
    context = console.browser.new_context()
    page = context.new_page()
    with console_of(console.system, tmp_path / "first", *port) as link:
        page.goto(link)
        expect(page).to_have_title("Overview · Headgate")
    with console_of(console.system, tmp_path / "second", *port) as link:
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
