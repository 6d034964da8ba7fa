"""One sync, step by step. Each step may be the last one of a process: the next start goes on behind it.

    lock -> finish what was begun -> compare -> begin -> send -> next state -> end -> tidy

Two steps change what is in force, each by replacing one document: *begin* names the changes that are to be
sent, *end* names the state that they have led to. Before *begin* nothing has been sent; from then on the
changes are what they are, whatever the next snapshot holds, until all of them are settled.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from headgate.audiences.folder import Folder
from headgate.audiences.ranges import Pairs, Ranges
from headgate.audiences.record import Counts, Finished, Kind, Record, Unfinished
from headgate.audiences.sending import Save
from headgate.audiences.store import Lock
from headgate.errors import HeadgateError, UsageError

if TYPE_CHECKING:
    from headgate.audiences.calls import Change


class Tables(Protocol):
    """The snapshot, and what is made of it and of states and changes: files of this machine."""

    def compare(self, state: Path | None, changes: Path) -> Counts:
        """Write the changes from a state to the snapshot, and return what they come to."""

    def apply(self, state: Path | None, changes: Path, delivered: Pairs, to: Path) -> int:
        """Write the state after the changes that were delivered, and return how many members it has."""

    def read(self, changes: Path, start: int) -> "Iterator[list[Change]]":
        """Yield the changes of a file, from a number on."""


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """Calls to be sent, and how far that has come."""

    sync: int
    total: int
    changes: "Iterator[list[Change]]"
    """From the first that is not settled."""
    acknowledged: Ranges
    undeliverable: Ranges
    save: Save
    check: Callable[[], None]
    """Raises BusyError where this process may not send any more."""


class Screen(Protocol):
    """Is told how a sync goes."""

    def resumes(self, unfinished: Unfinished, settled: int) -> None:
        """Show that calls of an earlier sync are sent first, and how many of them are settled."""

    def compared(self, counts: Counts) -> None:
        """Show what the snapshot changes."""

    def adds(self, destinations: list[str]) -> None:
        """Show that destinations are told only what changes, since others were told the rest before."""

    def ended(self, record: Record) -> None:
        """Show what a sync has come to."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose members are synced."""

    name: str
    key: str
    kind: Kind
    source_id: str
    destinations: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"the {self.kind} {self.name!r} of source {self.source_id}"


@dataclass(frozen=True, kw_only=True)
class Guards:
    """What a sync refuses to do."""

    allow_empty: bool = False
    """Whether a snapshot without members may remove all of them."""
    max_removed: float = 0.5
    """The largest share of the members that a snapshot may remove."""

    def check(self, counts: Counts) -> None:
        """Do nothing for a snapshot that may be.

        Raises:
            HeadgateError: it has no members, or removes too many.
        """
        if not counts.members:
            if self.allow_empty:
                return
            raise HeadgateError(
                f"the snapshot has no members, which would remove all {counts.members_before:,}; "
                "give --allow-empty if that is meant"
            )
        removed = counts.left / max(counts.members_before, 1)
        if removed > self.max_removed:
            raise HeadgateError(
                f"the snapshot would remove {counts.left:,} of {counts.members_before:,} members, "
                f"{removed:.1%}; allowed: {self.max_removed:.1%}; give --max-removed if that is meant"
            )


def record_of(folder: Folder, subject: Subject) -> Record:
    """Return what is kept of an audience, or what would be of one that is new.

    Raises:
        UsageError: its key is another's.
    """
    record = folder.record()
    if record is None:
        return Record(name=subject.name, key=subject.key, kind=subject.kind, source_id=subject.source_id)
    if (record.kind, record.name) != (subject.kind, subject.name):
        raise UsageError(
            f"the key {record.key!r} of source {record.source_id} is that of the {record.kind} "
            f"{record.name!r}; give the {subject.kind} {subject.name!r} another name"
        )
    return record


class Sync:
    """Syncs one audience or computed trait.

    Args:
        folder: where it is kept.
        subject: which it is.
        tables: the snapshot.
        send: sends calls; it returns once all are settled, which is saved by then.
        screen: is told how it goes.
        guards: what is refused.
        now: seconds since 1970.
    """

    def __init__(
        self,
        folder: Folder,
        subject: Subject,
        tables: Tables,
        send: Callable[[Outbound], None],
        screen: Screen,
        guards: Guards,
        now: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._subject = subject
        self._tables = tables
        self._send = send
        self._screen = screen
        self._guards = guards
        self._now = now

    def run(self) -> Record:
        """Sync, after an earlier sync that was begun and did not end; return what is kept then.

        Raises:
            BusyError: another process syncs the same.
            UsageError: the key is another's, or the snapshot cannot be read.
            HeadgateError: the snapshot is refused, or a step failed; the next start goes on.
        """
        with self._folder.lock(self._subject.title) as lock, self._folder.scratch() as scratch:
            record = record_of(self._folder, self._subject)
            self._folder.tidy(record)
            if record.unfinished is not None:
                self._tell_of(record.unfinished)
                changes = self._folder.fetch(record.unfinished.changes, scratch)
                record = self._finish(record, record.unfinished, changes, lock, scratch)
            changes = scratch / "changes.parquet"
            counts = self._compare(record, changes, scratch)
            lock.check()
            record = self._begin(record, counts, changes)
            if record.unfinished is not None:
                record = self._finish(record, record.unfinished, changes, lock, scratch)
            else:
                self._screen.ended(record)
            return record

    def preview(self, scratch: Path) -> "list[Change]":
        """Show what a sync would come to, and return the first of its changes; nothing is locked or kept.

        Raises:
            UsageError: as `run`.
            HeadgateError: likewise.
        """
        record = record_of(self._folder, self._subject)
        changes = scratch / "changes.parquet"
        self._compare(record, changes, scratch)
        return next(self._tables.read(changes, 0), [])

    def _tell_of(self, unfinished: Unfinished) -> None:
        settled = sum(each.count for each in self._folder.progress(unfinished.progress))
        self._screen.resumes(unfinished, settled)

    def _compare(self, record: Record, changes: Path, scratch: Path) -> Counts:
        """Write the changes to send after those of an unfinished sync, and return what they come to."""
        state = self._folder.fetch(record.state, scratch) if record.state is not None else None
        if (unfinished := record.unfinished) is not None:
            self._tell_of(unfinished)
            begun = self._folder.fetch(unfinished.changes, scratch)
            after = scratch / "after.parquet"
            self._tables.apply(state, begun, [(0, unfinished.counts.calls)], after)
            state = after
        counts = self._tables.compare(state, changes)
        self._screen.compared(counts)
        self._guards.check(counts)
        return counts

    def _begin(self, record: Record, counts: Counts, changes: Path) -> Record:
        """Commit to sending the changes; where there are none, the sync has ended."""
        added = set(self._subject.destinations) - set(record.destinations)
        if added and record.state is not None:
            self._screen.adds(sorted(added))
        sync = max(round(self._now() * 1000), record.latest + 1)
        record = msgspec.structs.replace(record, latest=sync, destinations=self._subject.destinations)
        if counts.calls:
            kept = self._folder.keep("changes", sync, changes)
            progress = self._folder.begin_progress(sync)
            unfinished = Unfinished(id=sync, counts=counts, changes=kept, progress=progress)
            record = msgspec.structs.replace(record, unfinished=unfinished)
        else:
            finished = Finished(id=sync, counts=counts)
            record = msgspec.structs.replace(record, finished=finished, syncs=record.syncs + 1)
        self._folder.replace(record)
        return record

    def _finish(
        self, record: Record, unfinished: Unfinished, changes: Path, lock: Lock, scratch: Path
    ) -> Record:
        """Send what is not settled, and put the state that it leads to in force."""
        sync, counts = unfinished.id, unfinished.counts
        acknowledged, undeliverable = self._folder.progress(unfinished.progress)
        settled = Ranges([*acknowledged.pairs, *undeliverable.pairs])
        if settled.count < counts.calls:
            self._send(
                Outbound(
                    sync=sync,
                    total=counts.calls,
                    changes=self._tables.read(changes, settled.first_missing),
                    acknowledged=acknowledged,
                    undeliverable=undeliverable,
                    save=partial(self._folder.save_progress, unfinished.progress),
                    check=lock.check,
                )
            )
        if acknowledged.count + undeliverable.count != counts.calls:
            raise HeadgateError(
                f"{unfinished.changes} does not hold the {counts.calls:,} changes that it should"
            )
        before = self._folder.fetch(record.state, scratch) if record.state is not None else None
        after = scratch / "state.parquet"
        members = self._tables.apply(before, changes, acknowledged.pairs, after)
        lock.check()
        record = msgspec.structs.replace(
            record,
            syncs=record.syncs + 1,
            members=members,
            state=self._folder.keep("state", sync, after),
            unfinished=None,
            finished=Finished(id=sync, counts=counts, undeliverable=undeliverable.count),
        )
        self._folder.replace(record)
        self._screen.ended(record)
        self._folder.tidy(record)
        return record
