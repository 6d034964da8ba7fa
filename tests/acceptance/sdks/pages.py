"""Pages with Segment's browser SDK, of another origin than the forwarder's."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.sdks.calls import DOCUMENTED_URL
from tests.acceptance.sdks.documented import ROOT
from tests.acceptance.sites import File, site

SINGLE = f"cdnURL: '{DOCUMENTED_URL}' }})"
BATCHED = "'batching'"
KEEPALIVE = "keepalive: true"
"""What tells the blocks of the document apart that set the SDK up."""

_BUILD = ROOT / "node_modules/@segment/analytics-next/dist/umd"
# The document imports the package by its name, as a bundler resolves it; here the page does, without one.
_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Shop</title>
<script type="importmap">{"imports": {"@segment/analytics-next": "/analytics-next.js"}}</script>
<script type="module" src="/page.js"></script>
"""
_PACKAGE = """import '/umd/index.js'
export const { AnalyticsBrowser } = self.AnalyticsNext
"""
_MODULE = """
window.calls = %s
window.makeCalls = async () => {
  const { identify, track, page, screen, group, alias } = window.calls
  // First: once it knows the user, this SDK sends that user's ID in an alias, whatever it is told.
  await analytics.alias(alias.userId, alias.previousId)
  analytics.identify(identify.userId, identify.traits)
  analytics.track(track.event, track.properties)
  analytics.page(page.category, page.name, page.properties)
  analytics.screen(screen.category, screen.name, screen.properties)
  analytics.group(group.groupId, group.traits)
}
window.analytics = analytics
"""


@contextmanager
def serving(code: str, calls: Any) -> Iterator[str]:
    """Serve a page on a port of its own for as long as the block lasts; give its URL.

    Args:
        code: the document's, which sets `analytics` up.
        calls: what `makeCalls()` of the page sends.
    """
    files = {
        "/": ("text/html", _PAGE.encode()),
        "/elsewhere": ("text/html", b"<!doctype html><title>Elsewhere</title>"),
        "/analytics-next.js": ("text/javascript", _PACKAGE.encode()),
        "/page.js": ("text/javascript", (code + _MODULE % json.dumps(calls)).encode()),
    }
    with site(lambda path: files.get(path) or _of_the_package(path)) as port:
        yield f"http://127.0.0.1:{port}"


def _of_the_package(path: str) -> File | None:
    file = _BUILD / Path(path).name
    return ("text/javascript", file.read_bytes()) if path.startswith("/umd/") and file.is_file() else None
