"""Debian's Chromium, and pages in it that ask nobody but their own host and are nothing to complain of."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright


def chromium_path() -> str | None:
    """Return where Debian's Chromium is; Playwright's own browsers come from no package registry."""
    return shutil.which("chromium")


@contextmanager
def browser(*options: str) -> Iterator[Browser]:
    """Run a browser for as long as the block lasts, or skip the test where there is none.

    Playwright runs an event loop in this thread meanwhile.
    """
    path = chromium_path()
    if path is None:
        pytest.skip("needs Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *options])
        yield started
        started.close()


@dataclass
class Watched:
    """What a page did that it should not have done."""

    hosts: set[str] = field(default_factory=set)
    """Whom it asked."""
    complaints: list[str] = field(default_factory=list)
    """What the browser said: errors of scripts, violations of the policy, failed requests, dialogs."""


@contextmanager
def opened(browser: Browser, url: str, *, allowed: Sequence[int] = (), **context: Any) -> Iterator[Page]:
    """Open a page in a profile of its own; at the end it has asked its own host alone, and nothing was wrong.

    Args:
        browser: where.
        url: the page.
        allowed: status codes that what it asks may be answered with, besides those of success.
        context: more of `Browser.new_context`.
    """
    made = browser.new_context(**context)
    page, watched = made.new_page(), Watched()
    watch(page, watched, allowed)
    page.goto(url)
    yield page
    made.close()
    assert watched.hosts <= {urlsplit(url).netloc}, watched.hosts
    assert not watched.complaints, watched.complaints


def watch(page: Page, watched: Watched, allowed: Sequence[int]) -> None:
    """Note what a page does."""
    statuses = tuple(f"status of {each} " for each in allowed)

    def listen(said: ConsoleMessage) -> None:
        expected = "Failed to load resource" in said.text and any(each in said.text for each in statuses)
        if said.type in ("error", "warning") and not expected:
            watched.complaints.append(said.text)

    def dismiss(dialog: Dialog) -> None:
        watched.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", lambda request: watched.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("console", listen)
    page.on("dialog", dismiss)
