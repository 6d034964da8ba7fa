"""analytics-kotlin: gzip in chunks, as text/plain, no Authorization, and the write key last of all.

A user who is not known yet has the user ID "", which an event may have beside an anonymous ID.
"""

import uuid
from typing import Any

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import Replay, compact, events, now, request

_CALLS = ("identify", "track", "screen", "group", "alias")
_AGENT = {"User-Agent": "analytics-kotlin/1.25.0", "Accept-Encoding": "gzip", "Connection": "Keep-Alive"}


def _made(type_: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.uuid4()),
        "anonymousId": "anonymous-1",
        "timestamp": now(),
        "context": {
            "library": {"name": "analytics-kotlin", "version": "1.25.0"},
            "instanceId": str(uuid.uuid4()),
        },
        "integrations": {},
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    } | ({"userId": ""} if type_ == "screen" else {})


def _requests(host: str) -> list[bytes]:
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    batch = ",".join(map(compact, events(_CALLS, _made)))
    body = f'{{"batch":[{batch}],"sentAt":"{now()}","writeKey":"{WRITE_KEY}"}}'
    return [request("POST /v1/b", host, headers | _AGENT, body.encode())]


def _settings(host: str) -> bytes:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return request(f"GET /v1/projects/{WRITE_KEY}/settings", host, headers | _AGENT)


REPLAY = Replay(
    sdk="analytics-kotlin",
    version="1.25.0",
    section="Kotlin",
    points_at=('apiHost = "events.example.com/v1"', 'cdnHost = "events.example.com/v1"'),
    form="gzip in chunks, `text/plain`, write key last",
    calls=_CALLS,
    requests=_requests,
    settings=_settings,
)
