"""What may be done with the letters of a store, and how far it is. On the event loop alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from headgate.console.letters.forms import Filters
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin
from headgate.overflow.redrive import Tally
from headgate.overflow.selection import Asked, Selection
from headgate.overflow.summary import Group, Summary

MOST_KEPT, MOST_KEPT_BYTES = 1_000, 16 * 1024 * 1024
"""Letters that can be opened, the first of those that are found."""


@dataclass(kw_only=True)
class Work:
    """Something that is done with the letters of a store, and how far it is."""

    doing: ClassVar[str]
    number: int
    unit: str = "letters"
    """What its total counts."""
    total: int | None = None
    """About how many there are; None where nobody knows."""
    seen: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False
    """Whether somebody had it stop."""
    fault: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def advance(self, size: int) -> None:
        """Count what of the store was seen."""
        self.seen += size

    def end(self) -> None:
        """Have it stop in good order."""
        self.stopped = self.stopped or not self.over.is_set()
        self.stop.set()


@dataclass(kw_only=True)
class Looking(Work):
    """Looking at letters, some of which are kept."""

    doing = "letters are being looked at"
    filters: Filters
    selection: Selection
    at: datetime
    letters: list[DeadLetter] = field(default_factory=list)
    """Those that are kept, in the order of the store."""
    found: int = 0
    full: bool = False
    """Whether some were found that are not kept."""
    summary: Summary = field(default_factory=Summary)
    _size: int = 0

    def see(self, letter: DeadLetter) -> None:
        """Count a letter, and keep it if there is room."""
        self.found += 1
        self.summary.add(letter)
        self._size += len(letter.data) + len(letter.partition_key)
        self.full = self.full or len(self.letters) == MOST_KEPT or self._size > MOST_KEPT_BYTES
        if not self.full:
            self.letters.append(letter)

    @property
    def groups(self) -> Sequence[Group]:
        """What was found, the largest group first."""
        return self.summary.groups()

    def of(self, group: Group) -> list[tuple[int, DeadLetter]]:
        """Return the letters of a group that are kept, with their places from 1 on, the newest first."""
        belonging = (
            (place, each)
            for place, each in enumerate(self.letters, start=1)
            if (each.origin, each.code) == (group.origin, group.code)
        )
        return sorted(belonging, key=lambda each: each[1].time, reverse=True)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Letters that somebody wants to send again."""

    asked: Asked
    said: str
    """Which they are, in words."""
    most: int | None = None
    per_second: int | None = None


@dataclass(kw_only=True)
class Counting(Work):
    """A dry run: what would be sent where."""

    doing = "a dry run is under way"
    bundle: Bundle
    summary: Summary = field(default_factory=Summary)
    origins: frozenset[Origin] = frozenset()
    """The destinations that the settings have."""

    @property
    def records(self) -> int:
        """How many letters there are."""
        return sum(records for records, _ in self.summary.by_origin().values())

    @property
    def unreadable(self) -> int:
        """How many of them say nothing of where they were bound for."""
        return self.summary.by_origin().get(None, (0, 0))[0]


@dataclass(kw_only=True)
class Sending(Work):
    """Sending letters again."""

    doing = "letters are being sent"
    bundle: Bundle
    tally: Tally = field(default_factory=Tally)
