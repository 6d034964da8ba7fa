"""Take the pictures in docs/console.md, of the console on the running system of `make console`.

`python -m docs.console.screenshots` runs it. The plots are of the last minutes, so it waits for some first.
"""

import io
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState, sync_playwright
from rich.console import Console

from demo.console import console_on, running_system
from demo.estate import EVENTS, OTHER_EVENTS, WEBSITE
from demo.screen import Screen

HERE = Path(__file__).parent
WIDTH, HEIGHT, TALL = 1280, 880, 1280
SCALE = 0.7
"""Pixels of a picture for each of a page: a whole page is to be seen in a document."""
PHONE = {"width": 360, "height": 740}
SOON = 20_000


def overview(page: Page) -> None:
    """Whether it is delivering, and how it was."""
    page.get_by_text("Delivering to 2 destinations").wait_for(timeout=SOON)
    page.wait_for_timeout(1_500)


def destination(page: Page) -> None:
    """A form that says what is wrong, where it is typed."""
    page.get_by_role("link", name=EVENTS).click()
    page.get_by_label("AWS Kinesis Stream Name").fill(OTHER_EVENTS)
    page.get_by_label("AWS Kinesis Stream Region").fill("us-west2")
    page.locator("#wrong-destination-region").get_by_text("us-west").wait_for(timeout=SOON)


def check(page: Page) -> None:
    """A check that found nothing wrong."""
    page.get_by_role("link", name=EVENTS).click()
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("as far as can be told from here").wait_for(timeout=SOON)
    page.evaluate("document.getElementById('h-check').scrollIntoView()")


def live(page: Page) -> None:
    """Events as they come, and one of them whole."""
    page.locator("#rows tr").nth(30).wait_for(timeout=SOON)
    page.get_by_role("button", name="Pause").click()
    page.locator("#rows tr", has_text="track").first.get_by_role("button").click()
    page.locator("#record pre").wait_for(timeout=SOON)


def letters(page: Page) -> None:
    """Dead letters by reason, and a dry run."""
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("row").filter(has_text="overflow_expired").get_by_role(
        "button", name="Send again"
    ).click()
    page.get_by_text("would be sent; nothing was sent").wait_for(timeout=SOON)


def tester(page: Page, write_key: str) -> None:
    """What became of an event: the answer, and its record as it was read back."""
    page.get_by_label("Write key").fill(write_key)
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("1 of 1 read back").wait_for(timeout=SOON)
    page.get_by_role("heading", name="2. Answer").evaluate("(heading) => heading.scrollIntoView()")


def main(minutes: float) -> None:
    """Take all of them."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("the screenshots need Chromium; on Debian: apt-get install chromium")
    quiet = Screen(Console(file=io.StringIO()))
    with (
        tempfile.TemporaryDirectory(prefix="headgate-screenshots-") as directory,
        running_system(quiet, Path(directory)) as system,
        console_on(system, system.estate.operator, Path(directory) / "console.log") as link,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        first = browser.new_context()
        first.new_page().goto(link)
        state = first.storage_state()
        url = link.partition("/enter")[0]
        print(f"waiting {minutes:g} minutes for what the plots are to show")
        time.sleep(60 * minutes)

        def take(name: str, path: str, arrange: Any, **context: Any) -> None:
            _take(browser, state, url + path, HERE / f"{name}.png", arrange, **context)

        take("overview", "/", overview, viewport={"width": WIDTH, "height": TALL})
        take("destination", "/destinations", destination)
        take("check-dark", "/destinations", check, color_scheme="dark")
        take("live", "/live", live)
        take("tester", "/tester", lambda page: tester(page, system.estate.write_keys[WEBSITE]))
        take("letters", "/letters", letters)
        take("phone", "/", lambda page: page.wait_for_timeout(1_500), viewport=PHONE, device_scale_factor=1)
        browser.close()


def _take(browser: Browser, state: StorageState, url: str, path: Path, arrange: Any, **context: Any) -> None:
    given: dict[str, Any] = {
        "viewport": {"width": WIDTH, "height": HEIGHT},
        "device_scale_factor": SCALE,
    } | context
    made = browser.new_context(storage_state=state, reduced_motion="reduce", **given)
    page = made.new_page()
    page.goto(url)
    arrange(page)
    page.screenshot(path=path)
    print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size:,} bytes")
    made.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)
