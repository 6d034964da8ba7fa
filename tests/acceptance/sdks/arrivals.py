"""What must arrive for what was sent, worked out from the Spec alone, and whether it did."""

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.sdks.calls import SOURCE_ID
from tests.acceptance.sdks.tap import Exchange

Event = dict[str, Any]

TYPES = {name[0]: name for name in ("identify", "track", "page", "screen", "group", "alias")}


@dataclass(frozen=True)
class Sent:
    """One event as it stood in a request, and what the request said of all its events."""

    event: Event
    request: Event
    client_side: bool

    @property
    def message_id(self) -> str | None:
        return self.event.get("messageId")


def exactly(text: bytes) -> Any:
    """Return a JSON value whose comparison minds the order of members and the digits of numbers."""
    return json.loads(text, object_pairs_hook=OrderedDict, parse_float=_Number, parse_int=_Number)


def sent_by(exchange: Exchange) -> list[Sent]:
    """Return the events of a POST of the HTTP API."""
    name = exchange.target.removeprefix("/v1/").rstrip("/")
    body = exactly(exchange.text)
    client_side = "origin" in exchange.headers or "authorization" not in exchange.headers
    if name in ("batch", "import", "b"):
        return [Sent(event, body, client_side) for event in body["batch"]]
    event = OrderedDict(body)
    event["type"] = TYPES[name[0]]
    return [Sent(event, body, client_side)]


def differences(sent: Sent, data: bytes, *, since: datetime, ip: str = "127.0.0.1") -> list[str]:
    """Return all in which a record is not what the Spec says it must be; none is what must be.

    Args:
        sent: what the SDK sent.
        data: the record's.
        since: a moment before it was sent.
        ip: the client's address.
    """
    got = exactly(data)
    try:
        received = moment(got["receivedAt"])
    except (KeyError, ValueError):
        return [f"receivedAt is {got.get('receivedAt')!r}"]
    wrong = []
    if not since - timedelta(milliseconds=1) <= received <= datetime.now(UTC):
        wrong.append(f"receivedAt is {received}, sent was after {since}")
    if not sent.message_id:
        uuid.UUID(got["messageId"])
    expected = _expected(sent, got, received, ip)
    for key in expected.keys() | got.keys():
        if key not in got:
            wrong.append(f"{key} is missing")
        elif key not in expected:
            wrong.append(f"{key} was added: {got[key]!r}")
        elif got[key] != expected[key]:
            wrong.append(f"{key} is {got[key]!r}, and should be {expected[key]!r}")
    return sorted(wrong)


def moment(text: str) -> datetime:
    """Return the moment that an ISO 8601 text names."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _expected(sent: Sent, got: Mapping[str, Any], received: datetime, ip: str) -> Event:
    event = OrderedDict(sent.event)
    event.pop("writeKey", None)
    if "batch" in sent.request:
        for shared in ("context", "integrations"):
            if sent.request.get(shared):
                event[shared] = {**sent.request[shared], **(event.get(shared) or {})}
    original = event.pop("timestamp", None)
    event["sentAt"] = event.get("sentAt") or sent.request.get("sentAt") or got["receivedAt"]
    event["originalTimestamp"] = original or event["sentAt"]
    lag = received - moment(event["sentAt"])
    event["timestamp"] = _milliseconds(moment(event["originalTimestamp"]) + lag)
    event["receivedAt"] = got["receivedAt"]
    event["version"] = event.get("version") or _Number("2")
    event["channel"] = event.get("channel") or ("client" if sent.client_side else "server")
    event["projectId"] = SOURCE_ID
    event["messageId"] = event.get("messageId") or got["messageId"]
    if sent.client_side:
        context = dict(event.get("context") or {})
        context["ip"] = context.get("ip") or ip
        event["context"] = context
    return event


def _milliseconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class _Number:
    digits: str


def has(event: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Return whether an event has these members; its `properties` and `traits` may have more of SDKs' own."""
    return all(
        expected[key].items() <= (event.get(key) or {}).items()
        if key in ("properties", "traits")
        else event.get(key) == expected[key]
        for key in expected
    )


def summary(sent: Sequence[Sent], arrived: Mapping[str, Sequence[Event]]) -> str:
    """Return in a few words what arrived of what was sent, for the table of docs/sdks.md."""
    events = [event for records in arrived.values() for event in records]
    channels = sorted({event["channel"] for event in events})
    address = all((event.get("context") or {}).get("ip") for event in events)
    what = f"{len(events):,} of {len(sent):,}, as sent; from a {', '.join(channels)}"
    return f"{what}, with its address" if address else what
