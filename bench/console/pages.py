"""Pages in a headless Chromium: when they are painted first, and what came for them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.browsing import chromium_path

_PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
_TIMES = "() => performance.getEntriesByType('paint').map((each) => [each.name, each.startTime])"
_BYTES = """() => ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
  .reduce((sum, each) => sum + each.transferSize, 0)"""
_MORE_COMES_MILLISECONDS = 500


@dataclass(frozen=True)
class Painted:
    """A page that was loaded with nothing in the browser's cache."""

    first: float
    """Milliseconds from asking for it to the first paint."""
    contentful: float
    """The same to the first paint of something that it holds."""
    bytes: int
    """Sent to the browser, heads included, until half a second after it was loaded."""


class Visit:
    """A browser that has followed the console's link."""

    def __init__(self, browser: Browser, link: str) -> None:
        self._browser = browser
        self._url = link.partition("/enter")[0]
        with self._browser.new_context() as context:
            context.new_page().goto(link)
            self._state: Any = context.storage_state()

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        """Open a page, with its cookie and an empty cache."""
        with self._browser.new_context(storage_state=self._state) as context:
            page = context.new_page()
            page.goto(self._url + path, wait_until="load")
            page.wait_for_function(_PAINTED)
            yield page

    def painted(self, path: str) -> Painted:
        """Load a page, and tell when it was painted."""
        with self.page(path) as page:
            page.wait_for_timeout(_MORE_COMES_MILLISECONDS)
            times = dict(page.evaluate(_TIMES))
            return Painted(times["first-paint"], times["first-contentful-paint"], int(page.evaluate(_BYTES)))


@contextmanager
def visiting(link: str) -> Iterator[Visit]:
    """Start the browser, and follow the console's link."""
    path = chromium_path()
    if path is None:
        sys.exit("Chromium loads the pages; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Visit(browser, link)
        browser.close()
