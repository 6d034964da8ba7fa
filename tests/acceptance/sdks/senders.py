"""The three SDKs, made to send numbered events when they are told to."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser
from segment.analytics.client import Client

from tests.acceptance.sdks import node, pages
from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.documented import block

Send = Callable[[Sequence[int]], None]
"""Has an SDK send an event `Counted` for each number; returns at once."""

_NODE = """
import { createInterface } from 'node:readline'
import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey, host, flushAt: 3, flushInterval: 100 })
for await (const line of createInterface({ input: process.stdin })) {
  for (const n of JSON.parse(line)) {
    analytics.track({ userId: 'user-node', event: 'Counted', properties: { sdk: 'node', n } })
  }
}
await analytics.closeAndFlush({ timeout: 20000 })
"""
_PAGE = """
([sdk, numbers]) => { for (const n of numbers) analytics.track('Counted', { sdk, n }) }
"""


@contextmanager
def python_sdk(url: str) -> Iterator[Send]:
    """Segment's Python SDK."""
    # By default it goes on trying for half a day.
    client = Client(
        WRITE_KEY,
        host=url,
        upload_size=3,
        upload_interval=0.1,
        max_total_backoff_duration=40,
        max_rate_limit_duration=40,
    )

    def send(numbers: Sequence[int]) -> None:
        for n in numbers:
            client.track("user-python", "Counted", {"sdk": "python", "n": n})

    yield send
    # It waits for what it has not sent, and for that long only a test that fails should wait.
    shutdown = threading.Thread(target=client.shutdown, daemon=True)
    shutdown.start()
    shutdown.join(10)
    assert not shutdown.is_alive()


@contextmanager
def node_sdk(url: str, directory: Path) -> Iterator[Send]:
    """Segment's Node SDK, in a process."""
    process = node.start(_NODE, directory, writeKey=WRITE_KEY, host=url)
    assert process.stdin is not None
    stdin = process.stdin

    def send(numbers: Sequence[int]) -> None:
        stdin.write(json.dumps(list(numbers)) + "\n")
        stdin.flush()

    try:
        yield send
        node.finish(process, seconds=25)
    finally:
        process.kill()


@contextmanager
def browser_sdk(url: str, chromium: Browser, name: str, holding: str) -> Iterator[Send]:
    """Segment's browser SDK in a page, set up by a block of the document."""
    code = block("Browser", holding, url).replace("timeout: 5000", "timeout: 300")
    with pages.serving(code, {}) as page_url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(page_url)
        page.evaluate("analytics.ready()")
        yield lambda numbers: page.evaluate(_PAGE, [name, list(numbers)])
        context.close()
