"""What the server adds to an event: its ID where it has none, and its times."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headgate.spec import timestamps
from headgate.spec.event import Fields
from headgate.spec.members import splice

_RENAME = {"timestamp": b'"originalTimestamp"'}
_ALWAYS_REMOVED = frozenset({"writeKey", "receivedAt", "projectId"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What all events of one request share."""

    received_at: datetime
    sent_at: str | None
    """The request's own `sentAt`, for the events that have none."""
    project_id: str
    """The source ID."""
    call: str | None = None
    """The type that the path names; None for a batch, where each event names its own."""
    client_side: bool = False
    """Whether a browser or a phone sent it: `channel` is then "client", and the IP address is noted."""
    ip: str | None = None
    """The client's address; noted as `context.ip` of a client-side call."""


def stamp(text: bytes, fields: Fields, arrival: Arrival, new_message_id: Callable[[], str]) -> bytes:
    """Return the event as it goes into the stream, and give `fields` a message ID where it has none.

    What the client sent stays byte for byte, but for: `timestamp`, which becomes `originalTimestamp`; the
    write key, which is taken out; and what is missing or null where the Spec wants a value.
    """
    received, received_at = arrival.received_at, timestamps.render(arrival.received_at)
    sent_at = fields.sent_at or arrival.sent_at or received_at
    original = fields.timestamp or fields.original_timestamp
    sent = timestamps.parse(sent_at)
    happened = timestamps.corrected(timestamps.parse(original), sent, received)

    removed = set(_ALWAYS_REMOVED)
    rename: dict[str, bytes] = {}
    added: list[str] = []
    if arrival.call not in (None, fields.type):
        removed.add("type")
        added.append(f'"type":"{arrival.call}"')
    if not fields.message_id:
        fields.message_id = new_message_id()
        removed.add("messageId")
        added.append(f'"messageId":"{fields.message_id}"')
    if fields.timestamp:
        rename = _RENAME
        removed.add("originalTimestamp")
    else:
        removed.add("timestamp")
        if not fields.original_timestamp:
            removed.add("originalTimestamp")
            added.append(f'"originalTimestamp":{json.dumps(sent_at)}')
    if not fields.sent_at:
        removed.add("sentAt")
        added.append(f'"sentAt":{json.dumps(sent_at)}')
    added.append(f'"timestamp":"{timestamps.render(happened)}"')
    added.append(f'"receivedAt":"{received_at}"')
    added.append(f'"projectId":{json.dumps(arrival.project_id)}')
    return splice(text, rename, frozenset(removed), ",".join(added).encode())
