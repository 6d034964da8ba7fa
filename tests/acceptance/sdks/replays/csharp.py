"""Analytics-CSharp: gzip without a Content-Type, `Connection: close`, times of 7 digits, no Authorization."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "page", "screen", "group", "alias")


def _now() -> str:
    return now("microseconds").replace("Z", "7Z")


def _made(_: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()),
        "anonymousId": "anonymous-1",
        "timestamp": _now(),
        "context": {"library": {"name": "Analytics-CSharp", "version": "2.6.0"}},
        "integrations": {},
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    }


def _requests(host: str) -> list[bytes]:
    headers = {"Connection": "close", "Accept": "text/plain", "Content-Encoding": "gzip"}
    batch = ",".join(map(compact, events(_CALLS, _made)))
    body = f'{{"batch":[{batch}],"sentAt":"{_now()}","writeKey":"{WRITE_KEY}"}}'
    return [request("POST /v1/b", host, headers, body.encode())]


def _settings(host: str) -> bytes:
    headers = {"Connection": "close", "Accept": "application/json"}
    return request(f"GET /v1/projects/{WRITE_KEY}/settings", host, headers)


REPLAY = Replay(
    sdk="Analytics-CSharp",
    version="2.6.0",
    section="C#",
    points_at=('apiHost: "events.example.com/v1"', 'cdnHost: "events.example.com/v1"'),
    form="gzip, no `Content-Type`, times of 7 digits",
    calls=_CALLS,
    requests=_requests,
    settings=_settings,
)
