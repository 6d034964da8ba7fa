"""Changes of a table's settings that a page asks for: each for the version that the page was made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from headgate.errors import UsageError
from headgate.settings.table.changes import what_changed
from headgate.settings.table.layout import Entry, Kept
from headgate.settings.table.opened import OpenTable
from headgate.settings.table.stored import StoredSource, sealed
from headgate.settings.table.transactions import Change
from headgate.settings.table.writer import StaleChange

MOST_MEANWHILE = 20
"""Changes of others that are shown, the newest."""

Make = Callable[[StoredSource | None], StoredSource | None]
"""Returns a source as it is to become, of what it is; None is one that there is not."""


class Faulty(UsageError):  # noqa: N818  # an answer
    """What was typed cannot be saved.

    Args:
        faults: a line by field.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Done:
    """A change that is in the table now, or that was none."""

    kept: Kept | None
    """The source after it."""
    number: int | None
    """The version that it made; None where nothing was to be changed."""
    changes: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Stale:
    """A change that came too late: somebody else has changed the source."""

    kept: Kept | None
    """The source as it is."""
    meanwhile: Sequence[Entry]
    """What the others did, the newest first."""


def change(opened: OpenTable, source_id: str, version: int, make: Make) -> Done | Stale:
    """Change a source. It blocks.

    Args:
        opened: the table.
        source_id: which one.
        version: the one that it is to be at; 0 where there is to be no such source yet.
        make: what becomes of it. What it raises, this raises.

    Raises:
        SettingsError: a write key is another source's, or DynamoDB does not take so much.
        AwsError: AWS refused, or did not answer.
    """
    before = opened.table.source(source_id)
    if version != (before.number if before is not None else 0):
        return _stale(opened, source_id, version, before)
    wanted = make(before.source if before is not None else None)
    after = sealed(wanted, opened.encrypting()) if wanted is not None else None
    made = Change(before, after)
    if made.was == after:
        return Done(before, None)
    writer = opened.writer()
    try:
        number = writer.write([made])
    except StaleChange:
        return _stale(opened, source_id, version, opened.table.source(source_id))
    at = writer.now().isoformat(timespec="seconds").replace("+00:00", "Z")
    kept = Kept(after, number, at, writer.who) if after is not None else None
    return Done(kept, number, what_changed(made.was, after))


def _stale(opened: OpenTable, source_id: str, version: int, kept: Kept | None) -> Stale:
    newer = takewhile(lambda entry: entry.number > version, opened.table.history(source_id))
    return Stale(kept, list(islice(newer, MOST_MEANWHILE)))
