"""A request's events, made ready for the stream: read, validated, stamped."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from headgate.spec.body import Body
from headgate.spec.event import Invalid, excluded, read
from headgate.spec.merge import merging
from headgate.spec.stamp import Arrival, Stamp


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one request, of what the client sent: decompressed, before merging and stamping."""

    events: int = 2_500
    """Events in one batch (Segment HTTP API)."""
    event_bytes: int = 32_768
    """Bytes of one event (Segment HTTP API), and of what a batch says of all its events together."""


_SEGMENTS = Limits()


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event as it goes into the stream, and what its partition key is made of."""

    index: int
    """Its place in the request."""
    data: bytes
    """Its JSON."""
    message_id: str
    user: str
    """`userId || anonymousId`."""
    call: str
    """Its type, one of the six."""


class Rejection(NamedTuple):
    """Why an event is none: Segment's own code, and a message that says what is allowed."""

    code: str
    message: str


class Prepared(msgspec.Struct):
    """What became of each event of a request."""

    events: list[Event] = []
    rejected: dict[int, Rejection] = {}
    """By the event's index in the request."""
    excluded: int = 0
    """Events whose `integrations` keep them out of Amazon Kinesis."""


def prepare(
    body: Body, arrival: Arrival, new_message_id: Callable[[], str], limits: Limits = _SEGMENTS
) -> Prepared:
    """Return a request's events as they go into the stream, and which of them were rejected and why.

    Args:
        body: what the request brought, read by `headgate.spec.body.read`.
        arrival: what all its events share.
        new_message_id: called for an event that has no message ID.
        limits: bounds of an event's size; Segment's own where it is absent.
    """
    most, call = limits.event_bytes, arrival.call
    prepared = Prepared()
    events = prepared.events
    stamp = Stamp(arrival, new_message_id)
    merge, shared = None, 0
    if body.context is not None or body.integrations is not None:
        # What a batch shares goes into each of its events, so it is bounded as one of them.
        shared = len(body.context or b"") + len(body.integrations or b"")
        merge = merging(body.context, body.integrations)
    for index, text in enumerate(body.events):
        try:
            if len(text) > most or shared > most:
                size = max(len(text), shared)
                raise Invalid("too_large", f"the event has {size:,} bytes; allowed: {most:,}")
            whole = text if merge is None else merge(text)
            fields = read(whole, call, body.fields)
        except Invalid as fault:
            prepared.rejected[index] = Rejection(fault.code, str(fault))
            continue
        if fields.integrations is not None and excluded(fields.integrations):
            prepared.excluded += 1
            continue
        data = stamp(whole, fields)
        user = fields.user_id or fields.anonymous_id or ""
        events.append(Event(index, data, fields.message_id or "", user, call or fields.type or ""))
    return prepared
