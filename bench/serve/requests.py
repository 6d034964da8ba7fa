"""What wrk sends: the events of `bench.ingest`, of thousands of users."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from bench.budgets import BATCH, SINGLE
from bench.ingest.requests import EVENTS, WRITE_KEY, event

BODIES = 200
"""That differ; more are these again."""


def scripts(directory: Path) -> dict[str, tuple[Path, int]]:
    """Write a wrk script for each kind of request; return it with the events that a request holds."""
    single = [event(number) for number in range(BODIES)]
    starts = range(0, BODIES * EVENTS, EVENTS)
    batches = [{"batch": [event(at + n) for n in range(EVENTS)], "writeKey": WRITE_KEY} for at in starts]
    return {
        SINGLE: (_script(directory / "one.lua", "/v1/track", single), 1),
        BATCH: (_script(directory / "batch.lua", "/v1/batch", batches), EVENTS),
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
