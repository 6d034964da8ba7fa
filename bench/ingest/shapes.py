"""Requests as Segment's SDKs send them, each with events of about 700 bytes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

WRITE_KEY = "9h4bTnLmVQeUcXw2RkZpY7sD"
SENT_AT = "2026-01-31T23:59:59.987Z"
_FIRST = datetime(2026, 1, 31, 23, 59, 40, tzinfo=UTC)

_ORDER = {
    "order_id": "50314b8e9bcf000000000000",
    "affiliation": "Web Store",
    "total": 27.50,
    "revenue": 25.00,
    "currency": "USD",
    "coupon": "hasbros",
    "products": [
        {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly", "price": 19},
        {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "name": "Uno", "price": 3.5},
    ],
}


def _uuid(number: int) -> str:
    return f"0b6d0c6e-8f4e-4a55-9d0f-{number:012x}"


def _time(number: int, suffix: str) -> str:
    return (_FIRST + timedelta(milliseconds=37 * number)).isoformat(timespec="milliseconds")[:23] + suffix


def node(number: int) -> bytes:
    """Return an event of analytics-node: compact, in a batch that names the key and `sentAt`."""
    return _compact(
        {
            "timestamp": _time(number, "Z"),
            "integrations": {},
            "userId": f"user-{number:06}",
            "anonymousId": _uuid(number),
            "event": "Order Completed",
            "type": "track",
            "properties": _ORDER,
            "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
            "messageId": f"node-next-1769903980000-{_uuid(number)}",
            "_metadata": {"nodeVersion": "22.11.0", "jsRuntime": "node"},
        }
    )


def python(number: int) -> bytes:
    """Return an event of analytics-python: spaces after commas and colons, nulls, escapes, `+00:00`."""
    event = {
        "integrations": {},
        "anonymousId": None,
        "properties": _ORDER | {"city": "Zürich"},
        "timestamp": _time(number, "+00:00"),
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": f"user-{number:06}",
        "type": "track",
        "event": "Order Completed",
        "messageId": _uuid(number),
    }
    return json.dumps(event).encode()


def browser(number: int) -> bytes:
    """Return an event of analytics-next's batches: a write key, `_metadata` and integrations in each."""
    return _compact(
        {
            "timestamp": _time(number, "Z"),
            "integrations": {"Segment.io": True},
            "type": "page",
            "properties": _PAGE | {"category": "Docs"},
            "name": "Install",
            "category": "Docs",
            "context": {
                "page": _PAGE,
                "userAgent": _AGENT,
                "locale": "de-CH",
                "library": _AJS,
                "timezone": "UTC",
            },
            "messageId": f"ajs-next-1769903980000-{_uuid(number)}",
            "anonymousId": _uuid(number),
            "writeKey": WRITE_KEY,
            "userId": None,
            "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
        }
    )


def browser_call(number: int) -> bytes:
    """Return a request of analytics-next that is one event, with `sentAt` of its own."""
    return browser(number)[:-1] + b',"sentAt":"%b"}' % SENT_AT.encode()


def mobile(number: int) -> bytes:
    r"""Return an event of analytics-swift: `\/` for every slash, much context, and no address."""
    event = {
        "anonymousId": _uuid(number),
        "context": {
            "app": {"build": "412", "name": "Shop", "namespace": "com.example.shop", "version": "4.1.2"},
            "device": {"id": _uuid(7), "manufacturer": "Apple", "model": "iPhone16,2", "type": "ios"},
            "library": {"name": "analytics-swift", "version": "1.9.0"},
            "locale": "de-CH",
            "network": {"cellular": False, "wifi": True},
            "os": {"name": "iOS", "version": "18.2"},
            "timezone": "Europe/Zurich",
        },
        "event": "Product Viewed",
        "integrations": {},
        "messageId": _uuid(number).upper(),
        "properties": {"sku": "45790-32", "url": "https://shop.example.com/p/45790-32", "price": 19.0},
        "timestamp": _time(number, "Z"),
        "type": "track",
        "userId": f"user-{number:06}",
    }
    return _compact(event).replace(b"/", b"\\/")


def _compact(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
_AJS = {"name": "analytics.js", "version": "npm:next-1.84.3"}
_PAGE = {
    "path": "/install",
    "search": "",
    "title": "Installation für alle",
    "url": "https://example.com/install",
}


@dataclass(frozen=True)
class Shape:
    """What one kind of SDK sends."""

    name: str
    event: Callable[[int], bytes]
    client_side: bool = False
    key_first: bool = False

    def batch(self, events: int = 50) -> bytes:
        """Return the body of a batch request."""
        batch = b'"batch":[%b]' % b",".join(map(self.event, range(events)))
        about = b'"sentAt":"%b","writeKey":"%b"' % (SENT_AT.encode(), WRITE_KEY.encode())
        return b"{%b,%b}" % ((about, batch) if self.key_first else (batch, about))


SHAPES = (
    Shape("analytics-node", node),
    Shape("analytics-python", python),
    Shape("analytics-next", browser, client_side=True, key_first=True),
    Shape("analytics-swift", mobile, client_side=True),
)
CALL = Shape("analytics-next", browser_call, client_side=True)
"""A shape whose events go one to a request."""
