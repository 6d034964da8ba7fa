"""analytics-go: times to the nanosecond, a message ID of the batch's own, the write key in Basic alone."""

import uuid
from typing import Any

from tests.acceptance.sdks.replays.form import BASIC, Replay, compact, events, now, request

_CALLS = ("identify", "track", "page", "screen", "group", "alias")


def _now() -> str:
    return now("microseconds").replace("Z", "789+00:00")


def _made(_: str) -> dict[str, Any]:
    return {"messageId": str(uuid.uuid4()), "timestamp": _now()}


def _requests(host: str) -> list[bytes]:
    headers = {
        "User-Agent": "analytics-go (version: 3.0.0)",
        "Content-Type": "application/json",
        "Accept-Encoding": "gzip",
    }
    body = {
        "messageId": str(uuid.uuid4()),
        "sentAt": _now(),
        "batch": events(_CALLS, _made),
        "context": {"library": {"name": "analytics-go", "version": "3.0.0"}},
    }
    return [request("POST /v1/batch", host, headers | BASIC, compact(body).encode())]


REPLAY = Replay(
    sdk="analytics-go",
    version="3.0.0",
    section="Go",
    points_at=('Endpoint: "https://events.example.com"',),
    form="times to the nanosecond, the batch's context",
    calls=_CALLS,
    requests=_requests,
)
