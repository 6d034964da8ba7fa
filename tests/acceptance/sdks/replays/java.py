"""analytics-java: to `/v1/import/` with its slash, the batch's own context, the key in Basic and body."""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import BASIC, Replay, compact, events, now, request

_CALLS = ("identify", "track", "page", "screen", "group", "alias")


def _made(_: str) -> dict[str, Any]:
    return {"messageId": str(uuid.uuid4()), "timestamp": now(), "integrations": {}}


def _requests(host: str) -> list[bytes]:
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "Connection": "Keep-Alive",
        "Accept-Encoding": "gzip",
        "User-Agent": "analytics-java/3.5.5-SNAPSHOT",
        "X-Retry-Count": "0",
    }
    body = {
        "batch": events(_CALLS, _made),
        "sentAt": now(),
        "context": {"library": {"name": "analytics-java", "version": "3.5.5-SNAPSHOT"}},
        "sequence": 1,
        "writeKey": WRITE_KEY,
    }
    return [request("POST /v1/import/", host, headers | BASIC, compact(body).encode())]


REPLAY = Replay(
    sdk="analytics-java",
    version="3.5.5-SNAPSHOT",
    section="Java",
    points_at=('.endpoint("https://events.example.com")',),
    form="to `/v1/import/`, the batch's context",
    calls=_CALLS,
    requests=_requests,
)
