"""Settings from a table: what changed since the last look is read, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from botocore.session import Session

from headgate.errors import AwsError, SettingsError
from headgate.settings.schema import Source, Sources, by_write_key
from headgate.settings.store import Version
from headgate.settings.table.client import SettingsTable, is_missing
from headgate.settings.table.layout import Kept, Seen
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.stored import opened

INTERVAL_SECONDS = 5.0
"""Of each process: 520,000 strongly consistent reads of one small item a month."""
MOST_CHANGES = 1_000
"""Sources that are read one by one; where more have changed, all are read."""
_ATTEMPTS = 20

_NEVER_WRITTEN = "never written"


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read last, all of one version."""

    seen: Seen | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    """By their IDs."""


class TableStore:
    """The sources in a table. What is needed is written out in docs/settings.md.

    A table in which nothing was ever written has no sources, which is valid: it is made before they are.

    Args:
        session: its credentials and its endpoint are used; its region where the table's own is not told.
        table: the table's name, or its whole ARN.

    Raises:
        UsageError: `table` is neither, or no region is known.
    """

    def __init__(self, session: Session, table: str) -> None:
        self._table = SettingsTable(session, table)
        self.name = self._table.name
        self.interval = INTERVAL_SECONDS
        self._sealing = Sealing(session, self._table.region, about=self.name)
        self._held = _Held()

    def latest(self) -> Version:
        """Return the version that the table is at.

        Raises:
            AwsError: AWS refused, for want of the table too, or did not answer within a few seconds; or the
                table is not the one any more that was read before.
        """
        try:
            seen = self._table.version()
        except AwsError as error:
            if is_missing(error):
                # One that is restored may come to the same versions, and not to the same sources.
                self._held = _Held()
            raise
        if seen is not None:
            return Version(seen, partial(self._sources, seen))
        if self._held.seen is not None:
            raise AwsError(f"{self.name}: it has no version any more, so nothing in it is believed")
        return Version(_NEVER_WRITTEN, dict)

    def _sources(self, seen: Seen) -> dict[str, Source]:
        held = self._held
        for _ in range(_ATTEMPTS):
            held = self._read(held, seen)
            newest = self._table.version()
            if newest == seen:
                break
            if newest is None:
                raise AwsError(f"{self.name}: it has no version any more, so nothing in it is believed")
            seen = newest
        else:
            raise AwsError(f"{self.name}: it changes faster than it can be read")
        sources = tuple(held.sources.values())
        try:
            Sources(sources=sources)
        except ValueError as error:
            raise SettingsError(f"{self.name}: {error}") from None
        self._held = held
        return by_write_key(sources)

    def _read(self, held: _Held, seen: Seen) -> _Held:
        """Return what the table holds at a version, or partly at a later one."""
        if held.seen == seen:
            return held
        changed = self._changed(held.seen, seen)
        kept = list(self._table.sources() if changed is None else self._table.some_sources(list(changed)))
        self._sealing.learn(each.source for each in kept)
        if changed is None:
            self._sealing.keep(each.source for each in kept)
            return _Held(seen, self._opened(kept))
        rest = {name: source for name, source in held.sources.items() if name not in changed}
        return _Held(seen, rest | self._opened(kept))

    def _changed(self, before: Seen | None, seen: Seen) -> set[str] | None:
        """Return which sources have changed; None where the history does not tell all of them."""
        if before is None or not 0 < seen.number - before.number <= MOST_CHANGES:
            return None
        changes = self._table.changed_since(before.number)
        told = {number for number, _ in changes}
        if not told.issuperset(range(before.number + 1, seen.number + 1)):
            return None
        changed = {source for _, source in changes}
        return changed if len(changed) <= MOST_CHANGES else None

    def _opened(self, kept: Iterable[Kept]) -> dict[str, Source]:
        found = {}
        for each in kept:
            try:
                found[each.source.id] = opened(each.source, self._sealing.decrypt)
            except ValueError as error:
                raise SettingsError(f"{self.name}: the source {each.source.id!r}: {error}") from None
        return found
