"""What is sent: a track call as Segment's Node SDK writes it, and a batch of 50."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from bench.budgets import BATCH, SINGLE

WRITE_KEY = "wk_bench"
DISABLED_KEY = "wk_disabled"
"""Of a source that is read and looked up like any other, and whose events go no further."""
EVENTS = 50


def event(number: int) -> dict[str, Any]:
    return {
        "event": "Order Completed",
        "userId": f"user-{number}",
        "properties": {
            "order_id": f"50314b8e9bcf{number:06}",
            "revenue": 39.95,
            "currency": "EUR",
            "products": [
                {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "price": 19, "quantity": 1},
                {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "price": 20.95, "quantity": 1},
            ],
        },
        "type": "track",
        "context": {
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
            "ip": "108.0.78.21",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "locale": "en-US",
        },
        "_metadata": {"nodeVersion": "24.4.1", "jsRuntime": "node"},
        "timestamp": "2026-11-20T10:00:00.123Z",
        "messageId": f"node-next-1763632800123-7b8cbf8c-3d3f-4b5c-8f0e-{number:012}",
        "integrations": {},
        "writeKey": WRITE_KEY,
        "sentAt": "2026-11-20T10:00:01.456Z",
    }


def scripts(directory: Path) -> dict[str, tuple[Path, int]]:
    """Write a wrk script for each kind of request; return it with the events that a request holds."""
    batch = {
        "batch": [event(n) for n in range(EVENTS)],
        "writeKey": WRITE_KEY,
        "sentAt": "2026-11-20T10:00:01.456Z",
    }
    return {
        SINGLE: (_script(directory / "one.lua", "/v1/track", event(0)), 1),
        f"{SINGLE}, HTTP and write key alone": (
            _script(directory / "disabled.lua", "/v1/track", event(0), DISABLED_KEY),
            1,
        ),
        BATCH: (_script(directory / "batch.lua", "/v1/batch", batch), EVENTS),
    }


def _script(path: Path, target: str, body: dict[str, Any], write_key: str = WRITE_KEY) -> Path:
    authorization = "Basic " + b64encode(f"{write_key}:".encode()).decode()
    text = json.dumps(body, separators=(",", ":"))
    path.write_text(
        f'wrk.method = "POST"\nwrk.path = "{target}"\nwrk.body = [==[{text}]==]\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "{authorization}"\n'
    )
    return path
