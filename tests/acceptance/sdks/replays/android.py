"""analytics-android: to `/v1/import`, gzip in chunks, with a channel of its own, no Authorization."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "screen", "group", "alias")
_AGENT = {"Content-Type": "application/json", "User-Agent": "analytics-android/4.11.4"}


def _made(_: str) -> dict[str, Any]:
    return {
        "channel": "mobile",
        "messageId": str(uuid.uuid4()),
        "timestamp": now(),
        "context": {"library": {"name": "analytics-android", "version": "4.11.4"}, "os": {"name": "Android"}},
        "integrations": {},
        "anonymousId": "anonymous-1",
    }


def _requests(host: str) -> list[bytes]:
    headers = _AGENT | {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    batch = ",".join(map(compact, events(_CALLS, _made)))
    body = f'{{"batch":[{batch}],"sentAt":"{now()}","writeKey":"{WRITE_KEY}"}}'
    return [request("POST /v1/import", host, headers, body.encode())]


REPLAY = Replay(
    sdk="analytics-android",
    version="4.11.4",
    section="Android",
    points_at=('.defaultApiHost("events.example.com/v1")',),
    form="to `/v1/import`, gzip in chunks",
    calls=_CALLS,
    requests=_requests,
    settings=lambda host: request(f"GET /v1/projects/{WRITE_KEY}/settings", host, _AGENT),
)
