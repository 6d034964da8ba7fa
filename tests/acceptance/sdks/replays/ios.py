"""analytics-ios: gzip of a length, members in no order, every slash escaped, no Authorization."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "screen", "group", "alias")
_AGENT = {"Accept-Encoding": "gzip", "User-Agent": "analytics-ios/4.1.8"}


def _made(_: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()).upper(),
        "timestamp": now(),
        "context": {
            "library": {"name": "analytics-ios", "version": "4.1.8"},
            "page": {"url": "https://shop/cart"},
        },
        "integrations": {},
        "anonymousId": "anonymous-1",
    }


def _requests(host: str) -> list[bytes]:
    headers = _AGENT | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = compact({"writeKey": WRITE_KEY, "batch": events(_CALLS, _made), "sentAt": now()})
    return [request("POST /v1/batch", host, headers, body.replace("/", r"\/").encode())]


REPLAY = Replay(
    sdk="analytics-ios",
    version="4.1.8",
    section="iOS",
    points_at=('defaultAPIHost: URL(string: "https://events.example.com/v1")',),
    form=r"gzip, `/` as `\/`",
    calls=_CALLS,
    requests=_requests,
    settings=lambda host: request(f"GET /v1/projects/{WRITE_KEY}/settings", host, _AGENT),
    verbatim=(rb'"url":"https:\/\/shop\/cart"', rb"<\/script>"),
)
