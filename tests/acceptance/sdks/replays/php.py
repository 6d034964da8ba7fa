"""analytics-php: gzip where it is told to, `Expect: 100-continue` from curl, times to the second.

PHP writes every character outside ASCII, and every slash, as an escape.
"""

import json
import uuid
from typing import Any

from tests.acceptance.sdks.replays.form import BASIC, Replay, events, now, request

_CALLS = ("identify", "track", "page", "screen", "group", "alias")


def _now() -> str:
    return now("seconds").replace("Z", "+00:00")


def _made(_: str) -> dict[str, Any]:
    library = {"name": "analytics-php", "version": "3.8.2", "consumer": "LibCurl"}
    return {"context": {"library": library}, "timestamp": _now(), "messageId": str(uuid.uuid4())}


def _requests(host: str) -> list[bytes]:
    headers = BASIC | {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "User-Agent": "analytics-php/3.8.2",
        "Expect": "100-continue",
    }
    body = json.dumps({"batch": events(_CALLS, _made), "sentAt": _now()}, separators=(",", ":"))
    return [request("POST /v1/batch", host, headers, body.replace("/", r"\/").encode())]


REPLAY = Replay(
    sdk="analytics-php",
    version="3.8.2",
    section="PHP",
    points_at=("'host' => 'events.example.com'",),
    form="gzip, `Expect: 100-continue`, times to the second",
    calls=_CALLS,
    requests=_requests,
    verbatim=(rb"Z\u00fcrich \u2615 \ud83d\ude80",),
)
