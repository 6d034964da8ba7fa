"""@segment/analytics-react-native: up to 1,000 events and 500 KB in one request, no Authorization."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "screen", "group", "alias")


def _made(_: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()),
        "anonymousId": "anonymous-1",
        "timestamp": now(),
        "context": {
            "library": {"name": "@segment/analytics-react-native", "version": "2.24.1"},
            "instanceId": str(uuid.uuid4()),
        },
        "integrations": {},
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    }


def _requests(host: str) -> list[bytes]:
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "gzip"}
    batch = events(_CALLS, _made)
    while len(batch) < 1_000:
        viewed = {"event": "Product Viewed", "properties": {"n": len(batch)}, "userId": "user-1"}
        batch.append(viewed | _made("track") | {"type": "track"})
    body = compact({"batch": batch, "sentAt": now(), "writeKey": WRITE_KEY}).encode()
    assert 400_000 < len(body) < 512_000
    return [request("POST /v1/b", host, headers, body)]


def _settings(host: str) -> bytes:
    return request(f"GET /v1/projects/{WRITE_KEY}/settings", host, {"Cache-Control": "no-cache"})


REPLAY = Replay(
    sdk="@segment/analytics-react-native",
    version="2.24.1",
    section="React Native",
    points_at=(
        "proxy: 'https://events.example.com/v1'",
        "cdnProxy: 'https://events.example.com/v1'",
        "useSegmentEndpoints: true",
    ),
    form="and 995 more track: 1,000 events in one batch",
    calls=_CALLS,
    requests=_requests,
    settings=_settings,
)
