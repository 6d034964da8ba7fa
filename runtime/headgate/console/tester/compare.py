"""An event as it is stored beside what was sent. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from headgate.console.inert import inert, json_or_bytes
from headgate.reading.record import event_in
from headgate.spec.members import members

MOST_MEMBERS = 60
_MOST_CHARACTERS = 1_000

Mark = Literal["as sent", "added", "changed", "taken out"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A member of an event, twice."""

    key: str
    sent: str
    """Its JSON; empty where it was not sent."""
    stored: str
    mark: Mark


def compared(sent: bytes, stored: bytes) -> Sequence[Pair]:
    """Return the members of two events, in the order in which they are stored.

    Args:
        sent: a JSON object.
        stored: a record's data.
    """
    if event_in(stored) is None or not stored.lstrip().startswith(b"{"):
        return ()
    return list(_pairs(_values(sent), _values(stored)))


def _pairs(sent: dict[str, bytes], stored: dict[str, bytes]) -> Iterator[Pair]:
    for key, value in stored.items():
        before = sent.get(key)
        mark: Mark = "added" if before is None else "as sent" if before == value else "changed"
        yield Pair(inert(key, 100), _text(before), _text(value), mark)
    for key, value in sent.items():
        if key not in stored:
            yield Pair(inert(key, 100), _text(value), "", "taken out")


def _values(event: bytes) -> dict[str, bytes]:
    """Return the JSON of each member; of two with one key the last counts."""
    return {json.loads(key): event[at.value_start : at.end] for key, at in members(event)}


def _text(value: bytes | None) -> str:
    return "" if value is None else inert(json_or_bytes(value).text, _MOST_CHARACTERS)
