"""What the forwarder will say of a body that is to be sent, by its own rules. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headgate.console.samples import BATCH
from headgate.ingest.limits import HttpLimits
from headgate.spec import body as bodies
from headgate.spec.prepare import Event, Limits, Rejection, prepare
from headgate.spec.stamp import Arrival

_BYTE = re.compile(r"\(byte (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Draft:
    """A body, and what would become of it."""

    text: str
    call: str
    """The last part of the path that takes it."""
    fault: Rejection | None = None
    """Why it would be refused as a whole."""
    place: str = ""
    """Where in the text that is: its line and column."""
    events: Sequence[bytes] = ()
    """Each event's JSON as it stands in the body."""
    taken: Mapping[int, Event] | None = None
    """By the event's index. An event that brings no message ID has an empty one."""
    rejected: Mapping[int, Rejection] | None = None
    """Those that are none, by their index; what is neither taken nor rejected its `integrations` keep out."""

    @property
    def excluded(self) -> int:
        """How many events their `integrations` keep out of Amazon Kinesis."""
        return len(self.events) - len(self.taken or ()) - len(self.rejected or ())


def draft(text: str, call: str, source_id: str, now: datetime) -> Draft:
    """Return a draft.

    Args:
        text: the body.
        call: one of `samples.CALLS`.
        source_id: whose event it is to be.
        now: in UTC.
    """
    data, limits = text.encode(), Limits()
    if len(data) > HttpLimits.request_bytes:
        why = f"the body is larger than {HttpLimits.request_bytes:,} bytes"
        return Draft(text, call, Rejection("too_large", why))
    try:
        body = bodies.read(data, batch=call == BATCH)
    except bodies.Malformed as fault:
        return Draft(text, call, Rejection(fault.code, str(fault)), _place(text, str(fault)))
    count = len(body.events)
    if count > limits.events:
        why = f"{count:,} events; allowed: {limits.events:,} a batch"
        return Draft(text, call, Rejection("too_large", why), events=body.events)
    arrival = Arrival(
        received_at=now,
        sent_at=body.sent_at,
        project_id=source_id,
        call=None if call == BATCH else call,
    )
    prepared = prepare(body, arrival, lambda: "", limits)
    taken = {event.index: event for event in prepared.events}
    return Draft(text, call, events=body.events, taken=taken, rejected=prepared.rejected)


def _place(text: str, message: str) -> str:
    """Return the line and column where text is no JSON; nothing where it is JSON, or nobody knows."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as fault:
        return f"line {fault.lineno}, column {fault.colno}"
    except RecursionError:
        return ""
    # Python takes NaN and Infinity, which are no JSON; msgspec names their byte.
    found = _BYTE.search(message)
    if found is None:
        return ""
    lead = len(text) - len(text.lstrip(" \t\n\r"))
    before = text[:lead] + text[lead:].encode()[: int(found[1])].decode(errors="ignore")
    return f"line {before.count(chr(10)) + 1}, column {len(before.rpartition(chr(10))[2]) + 1}"
