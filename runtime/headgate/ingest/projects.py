"""What browser and mobile SDKs ask for when they start: `GET /v1/projects/{writeKey}/settings`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from headgate.ingest.answers import Answer

MAX_AGE_SECONDS = 60


def public_api(url: str) -> dict[str, str]:
    """Return how an SDK's settings say that events go to `url`, where our clients reach us.

    Args:
        url: `https://host`, with a port and a path where they are needed; or `http://`, which only
            browsers can be told: mobile SDKs always use TLS.

    Raises:
        ValueError: the text is none; it says what is allowed.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        host = None
    plain = parts if host else None
    if (
        plain is None
        or plain.scheme not in ("http", "https")
        or plain.username
        or plain.query
        or plain.fragment
    ):
        raise ValueError(f"{url!r}; allowed: a URL such as https://events.example.com")
    api = {"apiHost": f"{plain.netloc}{plain.path.rstrip('/')}/v1"}
    return api if plain.scheme == "https" else api | {"protocol": "http"}


def settings(write_key: str, api: Mapping[str, str]) -> Answer:
    """Return the settings of a source: send to us, load no destination of Segment's, no metrics.

    Args:
        write_key: the source's.
        api: `public_api`'s; empty where nobody said where clients reach us, so that what the client was
            set to stands. It is never taken from the Host header, which a client may write as it likes
            and a cache may keep.
    """
    body: dict[str, Any] = {
        "integrations": {"Segment.io": {"apiKey": write_key, **api}},
        "plan": {},
        "metrics": {"sampleRate": 0},
    }
    return Answer(200, msgspec.json.encode(body), b"Cache-Control: max-age=%d\r\n" % MAX_AGE_SECONDS)
