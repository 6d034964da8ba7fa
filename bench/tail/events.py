"""What the stream holds: events as the forwarder writes them."""

import json

EVENTS = 10_000
"""Events that differ; more are these again."""
RARE = 100
"""One event in so many is of the rare user."""


def event(number: int) -> bytes:
    """Return one of them: 800 bytes."""
    when = "2026-01-01T00:00:00.123Z"
    members = {
        "userId": "user-rare" if number % RARE == 0 else f"user-{number:06}",
        "type": "track",
        "event": "Order Completed",
        "properties": {
            "orderId": f"{number:08}",
            "revenue": 39.95,
            "currency": "EUR",
            "products": ["a" * 60] * 4,
        },
        "context": {
            "library": {"name": "analytics-python", "version": "2.3.4"},
            "page": {"url": "https://example.com/orders?step=4"},
        },
        "messageId": f"5c0e7e2c-8f0a-4a51-9d8c-{number:012}",
        "sentAt": when,
        "version": 2,
        "channel": "server",
        "receivedAt": when,
        "projectId": "8kf3Qw2LpZ",
        "originalTimestamp": when,
        "timestamp": when,
    }
    return json.dumps(members, separators=(",", ":")).encode()
