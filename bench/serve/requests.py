"""What is sent: the events of `bench.ingest`, of thousands of users."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.budgets import BATCH, SINGLE
from bench.ingest.requests import EVENTS, WRITE_KEY, event

BODIES = 200
"""That differ; more are these again."""


def scripts(directory: Path) -> dict[str, tuple[Path, int]]:
    """Write a wrk script for each kind of request; return it with the events that a request holds."""
    return {
        SINGLE: (wrk_script(directory / "one.lua", *single_events()), 1),
        BATCH: (wrk_script(directory / "batch.lua", *batches()), EVENTS),
    }


def single_events() -> tuple[str, list[Any]]:
    """Return the path, and bodies of one event each."""
    return "/v1/track", [event(number) for number in range(BODIES)]


def batches() -> tuple[str, list[Any]]:
    """Return the path, and bodies of many events each."""
    starts = range(0, BODIES * EVENTS, EVENTS)
    return "/v1/batch", [
        {"batch": [event(at + n) for n in range(EVENTS)], "writeKey": WRITE_KEY} for at in starts
    ]


def raw_requests(events: int) -> list[bytes]:
    """Return whole requests, of one event or of a batch each."""
    target, bodies = single_events() if events == 1 else batches()
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {authorization(WRITE_KEY)}\r\n"
    texts = map(compact, bodies)
    return [f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode() for text in texts]


def wrk_script(path: Path, target: str, bodies: Sequence[Any], keys: Sequence[str] = (WRITE_KEY,)) -> Path:
    """Write a script that sends each body in turn, with each write key in turn.

    Requests are put together once, so that sending them costs little.
    """
    texts = ",\n".join(f"[==[{compact(body)}]==]" for body in bodies)
    lines = ",\n".join(f'"{authorization(key)}"' for key in keys)
    path.write_text(
        f"""local bodies = {{{texts}}}
local keys = {{{lines}}}
local requests, next = {{}}, 0
function init(args)
  for number = 1, math.max(#bodies, #keys) do
    local headers = {{["Content-Type"] = "application/json"}}
    headers["Authorization"] = keys[(number - 1) % #keys + 1]
    requests[number] = wrk.format("POST", "{target}", headers, bodies[(number - 1) % #bodies + 1])
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"""
    )
    return path


def authorization(key: str) -> str:
    return "Basic " + b64encode(f"{key}:".encode()).decode()


def compact(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"))
