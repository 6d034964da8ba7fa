"""What is kept of an audience or a computed trait, besides its members."""

from typing import Literal

import msgspec

from headgate.audiences.ranges import Pairs

Kind = Literal["audience", "trait"]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How a snapshot differs from what was delivered, in members: identifiers of one kind each."""

    entered: int
    left: int
    changed: int
    unchanged: int
    members_before: int
    """In the state."""
    members: int
    """In the snapshot."""

    @property
    def calls(self) -> int:
        """How many calls tell of it."""
        return self.entered + self.left + self.changed


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A sync whose calls are being sent."""

    id: int
    counts: Counts
    changes: str
    """The file of its changes."""
    progress: str
    """The document of its progress."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """The last sync that ended."""

    id: int
    counts: Counts
    undeliverable: int = 0
    """Calls that can never be delivered as they are; the next sync tries again."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force of an audience: the document `audience.json`. All else is litter."""

    name: str
    key: str
    kind: Kind
    source_id: str
    latest: int = 0
    """The ID of the last sync that was begun: when, in milliseconds since 1970. Message IDs are made of it,
    so none is used twice, not even after the state was forgotten."""
    syncs: int = 0
    """How many have ended."""
    members: int = 0
    """In the state."""
    state: str | None = None
    """The file of the members, as the acknowledged calls have told of them; None while there are none."""
    unfinished: Unfinished | None = None
    finished: Finished | None = None
    destinations: tuple[str, ...] = ()
    """Where the last sync was sent to."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an unfinished sync has come, by the numbers of its calls, in ranges."""

    by: str
    """The process that wrote it."""
    acknowledged: Pairs = ()
    undeliverable: Pairs = ()
