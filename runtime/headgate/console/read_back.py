"""Looks for what was sent in the stream of a destination."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headgate.console.compare import MOST_MEMBERS, Pair, compared
from headgate.console.drafts import Draft
from headgate.console.feed import Listener, Seen
from headgate.console.inert import Shown, inert, json_or_bytes
from headgate.console.pages import rendered
from headgate.console.posting import Answer, Order, Unanswered
from headgate.console.records import Details, details_of
from headgate.console.samples import BATCH
from headgate.console.sends import Send
from headgate.console.sources import stream_of
from headgate.reading.filters import read_members
from headgate.settings.schema import Destination

SEEN_WITHIN = 15.0
"""Seconds."""
MOST_EVENTS = 20
"""Of a batch, those that are shown one by one."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is known of one event in one destination."""

    index: int
    call: str
    why_not: str = ""
    """Why it is not there; empty where it is, or is looked for."""
    found: bool = False
    details: Details | None = None
    """Of those that are shown one by one."""
    members: Sequence[Pair] = ()


async def look(
    send: Send, order: Order, answer: Answer | Unanswered, number: int, listener: Listener
) -> tuple[int, int]:
    """Look for events in a destination; return how many records were found, and how many were due."""
    destination = order.destinations[number]
    events = [_first(order, answer, index, destination) for index in range(len(order.draft.events))]
    wanted: dict[str, list[int]] = {}
    for event in events:
        if not event.why_not and order.draft.taken is not None:
            wanted.setdefault(order.draft.taken[event.index].message_id, []).append(event.index)
    due = left = sum(map(len, wanted.values()))
    now = asyncio.get_running_loop().time
    until, told = now() + SEEN_WITHIN, (-1, "")
    while True:
        over, fault = not left or now() >= until, listener.feed.fault or ""
        if over or told != (left, fault):
            told = left, fault
            part = _destination_part(destination, events, due, fault, over=over)
            send.show(f"destination-{number}", part)
        if over:
            return due - left, due
        for seen in await listener.next(min(0.5, until - now())):
            if indexes := wanted.get(_without_halves(read_members(seen.record.data).message_id or "")):
                index = indexes.pop(0)
                events[index] = _found(order, events[index], seen)
                left -= 1


def _without_halves(message_id: str) -> str:
    """Return an ID as `headgate.spec` reads it: with U+FFFD for each half of a surrogate pair."""
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in message_id)


def _first(order: Order, answer: Answer | Unanswered, index: int, destination: Destination) -> Event:
    """Return what is known of an event before it is looked for."""
    draft = order.draft
    call = draft.call if draft.call != BATCH else inert(read_members(draft.events[index]).type or "", 80)
    return Event(index, call, _why_not(draft, answer, index, call, destination))


def _why_not(
    draft: Draft, answer: Answer | Unanswered, index: int, call: str, destination: Destination
) -> str:
    taken = (draft.taken or {}).get(index)
    if (rejected := answer.rejected.get(index)) is not None:
        return f"rejected with {inert(rejected, 500)}"
    if answer.status != 200:
        return f"not looked for, as {f'the answer is {answer.status}' if answer.status else 'there is none'}"
    if taken is None:
        known = index in (draft.rejected or {})
        return "not looked for: it is no event by the Spec" if known else "kept out by its integrations"
    if taken.call not in destination.event_types:
        return f"not sent here: the destination's event_types do not name {call}"
    return "" if taken.message_id else "not looked for: it was sent without a messageId to know it by"


def _found(order: Order, event: Event, seen: Seen) -> Event:
    if event.index >= MOST_EVENTS:
        return replace(event, found=True)
    stored = order.hide(seen.record.data)
    pairs = compared(order.hide(order.draft.events[event.index]), stored)
    details = Details(seen.number, details_of(seen).facts, Shown("") if pairs else json_or_bytes(stored))
    return replace(event, found=True, details=details, members=pairs)


def _destination_part(
    destination: Destination, events: Sequence[Event], due: int, fault: str, *, over: bool
) -> str:
    return rendered(
        "tester/destination.html",
        stream=stream_of(destination),
        events=events[:MOST_EVENTS],
        more=max(len(events) - MOST_EVENTS, 0),
        found=sum(event.found for event in events),
        due=due,
        fault=fault,
        missing=f"not seen within {SEEN_WITHIN:g} s" if over else "looked for",
        most_members=MOST_MEMBERS,
    )
