"""A request's events, made ready for the stream: read, validated, stamped."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from headgate.spec import event as events
from headgate.spec.body import Body
from headgate.spec.stamp import Arrival, stamp


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one request, of what the client sent: decompressed, before merging and stamping."""

    events: int = 2_500
    """Events in one batch (Segment HTTP API)."""
    event_bytes: int = 32_768
    """Bytes of one event (Segment HTTP API)."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event as it goes into the stream, and what its partition key is made of."""

    index: int
    """Its place in the request."""
    data: bytes
    """Its JSON."""
    message_id: str
    user: str
    """`userId || anonymousId`."""


class Rejection(NamedTuple):
    """Why an event is none: Segment's own code, and a message that says what is allowed."""

    code: str
    message: str


@dataclass(slots=True)
class Prepared:
    """What became of each event of a request."""

    events: list[Event] = field(default_factory=list)
    rejected: dict[int, Rejection] = field(default_factory=dict)
    """By the event's index in the request."""
    excluded: int = 0
    """Events whose `integrations` keep them out of Amazon Kinesis."""


def prepare(
    body: Body, arrival: Arrival, new_message_id: Callable[[], str], limits: Limits | None = None
) -> Prepared:
    """Return a request's events as they go into the stream, and which of them were rejected and why.

    Args:
        body: what the request brought, read by `headgate.spec.body.read`.
        arrival: what all its events share.
        new_message_id: called for an event that has no message ID.
        limits: bounds of an event's size; Segment's own where it is absent.
    """
    bounds = limits or Limits()
    prepared = Prepared()
    for index, text in enumerate(body.events):
        try:
            if len(text) > bounds.event_bytes:
                raise events.Invalid(
                    "too_large", f"the event has {len(text):,} bytes; allowed: {bounds.event_bytes:,}"
                )
            fields = events.read(text, arrival.call)
        except events.Invalid as fault:
            prepared.rejected[index] = Rejection(fault.code, str(fault))
            continue
        data = stamp(text, fields, arrival, new_message_id)
        user = fields.user_id or fields.anonymous_id or ""
        prepared.events.append(Event(index, data, fields.message_id or "", user))
    return prepared
