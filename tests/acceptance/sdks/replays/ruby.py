"""analytics-ruby: the write key in Basic alone, times with an offset, one connection for all requests."""

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.acceptance.sdks.replays.form import BASIC, Replay, compact, events, request

_CALLS = ("identify", "track", "page", "screen", "group", "alias")


def _now() -> str:
    return datetime.now(timezone(timedelta(hours=5, minutes=30))).isoformat(timespec="milliseconds")


def _made(_: str) -> dict[str, Any]:
    return {
        "context": {"library": {"name": "analytics-ruby", "version": "2.5.0"}},
        "messageId": str(uuid.uuid4()),
        "timestamp": _now(),
    }


def _requests(host: str) -> list[bytes]:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": "analytics-ruby/2.5.0",
        "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
    }
    bodies = [{"sentAt": _now(), "batch": events(types, _made)} for types in (_CALLS[:3], _CALLS[3:])]
    return [request("POST /v1/import", host, headers | BASIC, compact(body).encode()) for body in bodies]


REPLAY = Replay(
    sdk="analytics-ruby",
    version="2.5.0",
    section="Ruby",
    points_at=("host: 'events.example.com'",),
    form="to `/v1/import`, Basic alone, 2 requests on one connection",
    calls=_CALLS,
    requests=_requests,
)
