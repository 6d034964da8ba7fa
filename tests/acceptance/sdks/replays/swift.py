"""analytics-swift: a file of lines, uploaded as it is, no Authorization, the write key last."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "screen", "group", "alias")
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "analytics-ios/1.9.4",
    "Accept-Encoding": "gzip",
}


def _made(_: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()).upper(),
        "anonymousId": "anonymous-1",
        "timestamp": now(),
        "context": {"library": {"name": "analytics-swift", "version": "1.9.4"}, "device": {"type": "ios"}},
        "integrations": {},
        "_metadata": {"bundled": [], "unbundled": ["Amplitude"], "bundledIds": []},
    }


def _requests(host: str) -> list[bytes]:
    lines = "\n,".join(map(compact, events(_CALLS, _made)))
    body = f'{{ "batch": [\n{lines}\n],"sentAt":"{now()}","writeKey":"{WRITE_KEY}"}}\n'
    return [request("POST /v1/b", host, _HEADERS, body.encode())]


REPLAY = Replay(
    sdk="analytics-swift",
    version="1.9.4",
    section="Swift",
    points_at=('.apiHost("events.example.com/v1")', '.cdnHost("events.example.com/v1")'),
    form="a file of lines, write key last",
    calls=_CALLS,
    requests=_requests,
    settings=lambda host: request(f"GET /v1/projects/{WRITE_KEY}/settings", host, _HEADERS),
)
