"""Which letters somebody asks for. Pure: instants are passed in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin
from headgate.reading.filters import read_members


class Asked(Protocol):
    """What tells of a letter whether it is asked for."""

    def fits(self, letter: DeadLetter) -> bool:
        """Return whether a letter is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Filters, each of which a letter has to pass; an empty one, or None, lets every letter pass.

    A letter of which nobody can read where it was bound for has no source, stream or event.
    """

    sources: Collection[str] = ()
    """Source IDs."""
    streams: Collection[str] = ()
    """Names of streams."""
    codes: Collection[str] = ()
    """Codes of the reason."""
    message_ids: Collection[str] = ()
    """Message IDs of the events."""
    since: datetime | None = None
    """Only what was given up at that instant or after."""
    until: datetime | None = None
    """Only what was given up at that instant or before."""

    def fits(self, letter: DeadLetter) -> bool:
        """Return whether a letter is asked for."""
        origin = letter.origin
        return (
            (not self.sources or (origin is not None and origin.source_id in self.sources))
            and (not self.streams or (origin is not None and origin.stream_name in self.streams))
            and (not self.codes or letter.code in self.codes)
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time <= self.until)
            and (not self.message_ids or read_members(letter.data).message_id in self.message_ids)
        )


@dataclass(frozen=True, slots=True)
class OfGroup:
    """Those of a selection that were bound for one destination and given up for one reason."""

    selection: Selection
    origin: Origin | None
    code: str

    def fits(self, letter: DeadLetter) -> bool:
        """Return whether a letter is asked for."""
        return letter.origin == self.origin and letter.code == self.code and self.selection.fits(letter)


@dataclass(frozen=True, slots=True)
class Exactly:
    """One letter, by all that it holds: it has no other name."""

    letter: DeadLetter

    def fits(self, letter: DeadLetter) -> bool:
        """Return whether a letter is asked for."""
        return letter == self.letter
