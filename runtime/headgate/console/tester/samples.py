"""Sample calls for the event tester: one of each type, and a batch. Pure: IDs and times are passed in."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from headgate.settings.schema import CALL_TYPES
from headgate.spec.timestamps import render

BATCH = "batch"
CALLS = (*CALL_TYPES, BATCH)
"""What a sample is of, by the last part of the path that takes it."""

_CONTEXT = {"library": {"name": "headgate-console"}, "locale": "en-US", "timezone": "Europe/Berlin"}
_PAGE = {
    "path": "/pricing",
    "referrer": "https://www.example.com/",
    "search": "?plan=team",
    "title": "Pricing",
    "url": "https://www.example.com/pricing?plan=team",
}
_OF_CALL: dict[str, dict[str, Any]] = {
    "track": {
        "event": "Order Completed",
        "properties": {
            "order_id": "order-1042",
            "currency": "EUR",
            "revenue": 59.90,
            "products": [
                {"product_id": "p-17", "name": "Desk lamp", "price": 39.90, "quantity": 1},
                {"product_id": "p-23", "name": "Light bulb", "price": 10.00, "quantity": 2},
            ],
        },
    },
    "identify": {
        "traits": {"email": "user@example.com", "name": "A User", "plan": "team", "logins": 12, "beta": True}
    },
    "page": {"name": "Pricing", "category": "Marketing", "properties": _PAGE},
    "screen": {"name": "Basket", "category": "Shop", "properties": {"items": 3, "from": "Product"}},
    "group": {
        "groupId": "company-77",
        "traits": {"name": "Example Company", "industry": "Retail", "employees": 120, "plan": "enterprise"},
    },
    "alias": {"previousId": "anonymous-5d0f"},
}


def sample(call: str, now: datetime, new_id: Callable[[], str]) -> str:
    """Return the JSON of a sample, as a person would lay it out.

    Args:
        call: one of `CALLS`.
        now: when it is to have happened, in UTC.
        new_id: returns what no other ID is.
    """
    user, time = f"user-{new_id()}", json.loads(render(now))
    if call == BATCH:
        events = [_event(each, user, new_id(), time) for each in ("identify", "page", "track")]
        body = {"batch": events, "context": _CONTEXT}
    else:
        body = _event(call, user, new_id(), time) | {"context": _CONTEXT}
    return json.dumps(body, indent=2)


def _event(call: str, user: str, message_id: str, time: str) -> dict[str, Any]:
    return {
        "type": call,
        "userId": user,
        **_OF_CALL[call],
        "messageId": f"console-{message_id}",
        "timestamp": time,
    }
