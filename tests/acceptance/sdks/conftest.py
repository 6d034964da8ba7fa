"""One forwarder before one fake Kinesis for all SDKs, and a browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.acceptance.browsing import browser
from tests.acceptance.sdks.site import Site, site


@pytest.fixture(scope="session")
def serving_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("sdks")) as made, made.serving():
        yield made


@pytest.fixture
def live(serving_site: Site) -> Site:
    """A running forwarder, with nothing in its stream yet."""
    serving_site.kinesis.reset()
    serving_site.tap.forget()
    return serving_site


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Site]:
    """A forwarder of the test's own, which it starts and stops."""
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def since() -> datetime:
    """A moment before the test sends anything."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")  # Playwright runs an event loop in this thread, so it ends with its module
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started
