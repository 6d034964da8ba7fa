"""The pixel: one call in an image's URL, as Base64 of its JSON, or as parameters whose names have dots."""

from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from tests.acceptance.sdks.calls import WRITE_KEY
from tests.acceptance.sdks.replays.form import compact, request

_BROWSER = {
    "Accept": "image/avif,image/webp,*/*;q=0.8",
    "User-Agent": "Mozilla/5.0",
    "Accept-Encoding": "gzip",
}

IN_BASE64: dict[str, Any] = {
    "writeKey": WRITE_KEY,
    "userId": "user-1",
    "event": "Email Opened",
    "messageId": "mail-1",
    "timestamp": "2026-01-31T23:59:59.123Z",
    "properties": {"subject": "Zürich?>", "campaign": 7},
}
PARAMETERS = {
    "writeKey": WRITE_KEY,
    "userId": "user-1",
    "event": "Email Opened",
    "messageId": "mail-2",
    "properties.subject": "Zürich & more",
    "properties.campaign": "7",
}
OF_PARAMETERS: dict[str, Any] = {
    "writeKey": WRITE_KEY,
    "userId": "user-1",
    "event": "Email Opened",
    "messageId": "mail-2",
    "properties": {"subject": "Zürich & more", "campaign": "7"},
}


def requests(host: str) -> list[bytes]:
    """Return both."""
    data = b64encode(compact(IN_BASE64).encode()).decode()
    queries = [urlencode({"data": data}), urlencode(PARAMETERS)]
    return [request(f"GET /v1/pixel/track?{query}", host, _BROWSER) for query in queries]
