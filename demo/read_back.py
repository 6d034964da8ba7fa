"""What `headgate tail` reads back, and whether it is what was sent."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.forwarder import HEADGATE, Event
from demo.processes import run

_TELLING = ("name", "event", "groupId", "properties", "traits")


def tail(stream_name: str, region: str, *, environment: Mapping[str, str], log: Path) -> list[dict[str, Any]]:
    """Return all records of a stream, each the JSON object that `headgate tail` printed."""
    command = [str(HEADGATE), "tail", stream_name, "--region", region, "--since", "trim-horizon"]
    lines = run("headgate tail", command, environment=environment, log=log, seconds=30)
    return [json.loads(line) for line in lines.splitlines()]


def what_is_missing(sent: Sequence[Event], records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return one line that says which events did not come back as they were sent; None if all did."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        found.setdefault(record.get("event", {}).get("messageId"), []).append(record)
    wrong = []
    for event in sent:
        name = f"{event['type']} (messageId {event['messageId']})"
        matches = found.get(event["messageId"], [])
        if not matches:
            wrong.append(f"{name} did not come back")
        for record in matches:
            wrong += [f"{name}: {difference}" for difference in _differences(event, record)]
    return "; ".join(wrong) or None


def _differences(event: Event, record: Mapping[str, Any]) -> list[str]:
    """What the SDK sent and the record holds otherwise; only `timestamp` may be corrected on the way."""
    got = record["event"]
    wrong = [
        f"{key} is {got.get(key)!r}, sent was {value!r}"
        for key, value in event.items()
        if key not in {"timestamp", "context"} and value is not None and got.get(key) != value
    ]
    if record["partitionKey"] != event["userId"]:
        wrong.append(f"its partition key is {record['partitionKey']!r}, not {event['userId']!r}")
    return wrong


def telling_part(event: Mapping[str, Any]) -> str:
    """Return what sets an event apart from others of its type, as JSON."""
    return json.dumps({key: event[key] for key in _TELLING if event.get(key)}, ensure_ascii=False)
