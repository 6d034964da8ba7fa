"""What grows, and by how much."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.ingest.requests import EVENTS, event
from bench.serve.requests import BODIES, compact

TEN = 10
"""Events of a request where their size grows: 300 KB of the 512 KB that a batch may have."""


@dataclass(frozen=True)
class Setup:
    """One forwarder and what it is sent."""

    destinations: int = 1
    shards: int = 8
    workers: int = 1
    event_bytes: int | None = None
    """None for the events of `bench.ingest`."""


@dataclass(frozen=True)
class Axis:
    """One thing that grows while all else stays."""

    name: str
    sizes: tuple[int, ...]
    setup: Callable[[int], Setup]


AXES = (
    Axis("destinations", (1, 10, 100, 1_000), lambda size: Setup(destinations=size)),
    Axis("shards", (1, 4, 16, 64, 256), lambda size: Setup(shards=size)),
    Axis("workers", (1, 2, 4), lambda size: Setup(workers=size)),
    Axis("bytes of an event", (100, 1_000, 10_000, 30_000), lambda size: Setup(event_bytes=size)),
)
CONNECTIONS = "idle connections"
OPEN = (0, 100, 1_000, 2_500, 5_000, 10_000)


def bodies(setup: Setup) -> tuple[list[Any], int]:
    """Return the bodies of batches, and how many events each has. None names a write key."""
    if setup.event_bytes is None:
        made = [_keyless(event(number)) for number in range(BODIES * EVENTS)]
        per = EVENTS
    else:
        made = [_sized(number, setup.event_bytes) for number in range(BODIES // TEN * TEN)]
        per = TEN
    return [{"batch": made[at : at + per]} for at in range(0, len(made), per)], per


def _keyless(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "writeKey"}


def _sized(number: int, size: int) -> dict[str, Any]:
    bare = {"type": "track", "userId": f"user-{number}", "event": "Viewed", "properties": {"text": ""}}
    bare["properties"] = {"text": "x" * (size - len(compact(bare)))}
    return bare
