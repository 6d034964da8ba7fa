"""What wrk sends: track calls as Segment's SDKs write them, 700 to 800 bytes each, of many users."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

WRITE_KEY = "wk_bench"
EVENTS = 50
"""In a batch."""
BODIES = 200
"""That differ; more are these again."""
SENT_AT = "2026-11-20T10:00:01.456Z"


def event(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"user-{number * 7919 % 10_000:06}",
        "messageId": f"node-next-1763632800123-7b8cbf8c-3d3f-4b5c-8f0e-{number:012}",
        "timestamp": "2026-11-20T10:00:00.123Z",
        "properties": {
            "order_id": f"50314b8e9bcf{number:06}",
            "revenue": 39.95,
            "currency": "EUR",
            "products": [{"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "price": 19}],
        },
        "context": {
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
            "ip": "108.0.78.21",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "locale": "en-US",
        },
        "integrations": {},
    }


def scripts(directory: Path) -> dict[str, tuple[Path, int]]:
    """Write a wrk script for each kind of request; return it with the events that a request holds."""
    single = [event(number) | {"sentAt": SENT_AT} for number in range(BODIES)]
    starts = range(0, BODIES * EVENTS, EVENTS)
    batches = [{"batch": [event(at + n) for n in range(EVENTS)], "sentAt": SENT_AT} for at in starts]
    return {
        "one event a request": (_script(directory / "one.lua", "/v1/track", single), 1),
        f"batches of {EVENTS}": (_script(directory / "batch.lua", "/v1/batch", batches), EVENTS),
    }


def _script(path: Path, target: str, bodies: list[dict[str, Any]]) -> Path:
    """Requests are put together once, so that sending them costs little."""
    authorization = "Basic " + b64encode(f"{WRITE_KEY}:".encode()).decode()
    texts = ",\n".join(f"[==[{json.dumps(body, separators=(',', ':'))}]==]" for body in bodies)
    path.write_text(
        f"""local bodies = {{{texts}}}
local requests, next = {{}}, 0
local headers = {{["Content-Type"] = "application/json", ["Authorization"] = "{authorization}"}}
function init(args)
  for number, body in ipairs(bodies) do
    requests[number] = wrk.format("POST", "{target}", headers, body)
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"""
    )
    return path
