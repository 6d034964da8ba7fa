"""How a sync is shown: a line a step and a progress bar on a terminal, JSON lines in a pipe."""

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import msgspec

from headgate.audiences.deliver import Pace
from headgate.audiences.record import Counts, Record, Unfinished
from headgate.audiences.snapshot import Snapshot
from headgate.cli.output import Pipe, console
from headgate.spec.prepare import Event
from headgate.spec.timestamps import render
from headgate.texts import printable

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_EVERY_SECONDS = 10.0
"""Between two lines of a sync that is sending, in a pipe."""
_SKIPPED = {
    "duplicates": "duplicate",
    "nulls": "null",
    "empty": "empty",
    "without_value": "without a value",
    "too_long": "too long",
}


class SyncScreen(ABC):
    """Is told how a sync goes, by the sync (see `headgate.audiences.sync.Screen`) and by the command."""

    def __init__(self) -> None:
        self.members = 0
        """At the end of the last sync."""
        self.calls = 0
        """Delivered by all syncs that ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Leave the terminal as it was found."""

    @abstractmethod
    def read(self, snapshot: Snapshot) -> None:
        """Show what the files held."""

    @abstractmethod
    def resumes(self, unfinished: Unfinished, settled: int) -> None:
        """Show that calls of an earlier sync are sent first."""

    @abstractmethod
    def compared(self, counts: Counts) -> None:
        """Show what the snapshot changes."""

    @abstractmethod
    def adds(self, destinations: list[str]) -> None:
        """Show that destinations are told only what changes."""

    @abstractmethod
    def sending(self, pace: Pace) -> None:
        """Show how far sending is; told twice a second, and at its end."""

    @abstractmethod
    def undeliverable(self, reasons: dict[str, int]) -> None:
        """Show why calls can never be delivered."""

    @abstractmethod
    def samples(self, events: Sequence[Event]) -> None:
        """Show some of the calls that would be sent."""

    def ended(self, record: Record) -> None:
        """Show what a sync has come to."""
        if record.finished is not None:
            self.members = record.members
            self.calls += record.finished.counts.calls - record.finished.undeliverable


def screen_for() -> SyncScreen:
    """Return the screen for where standard output goes."""
    return _OnTerminal() if sys.stdout.isatty() else _InPipe()


class _InPipe(SyncScreen):
    """JSON lines, each with the time and the step. A reader that leaves ends no sync."""

    def __init__(self) -> None:
        super().__init__()
        self._pipe: Pipe | None = Pipe()
        self._next_line = 0.0

    def close(self) -> None:
        """Nothing waits."""

    def read(self, snapshot: Snapshot) -> None:
        skipped = {_camel(name): getattr(snapshot, name) for name in _SKIPPED}
        self._write("snapshot", rows=snapshot.rows, members=snapshot.members, **skipped)

    def resumes(self, unfinished: Unfinished, settled: int) -> None:
        self._write("resumed", sync=unfinished.id, calls=unfinished.counts.calls, settled=settled)

    def compared(self, counts: Counts) -> None:
        self._write("difference", **_counts(counts))

    def adds(self, destinations: list[str]) -> None:
        self._write("destinations", toldChangesOnly=destinations)

    def sending(self, pace: Pace) -> None:
        if time.monotonic() >= self._next_line or pace.settled == pace.total:
            self._next_line = time.monotonic() + _LINE_EVERY_SECONDS
            self._write(
                "sending",
                settled=pace.settled,
                calls=pace.total,
                limitPerSecond=pace.limit,
                trouble=pace.trouble,
            )

    def undeliverable(self, reasons: dict[str, int]) -> None:
        for reason, calls in reasons.items():
            self._write("undeliverable", calls=calls, reason=reason)

    def samples(self, events: Sequence[Event]) -> None:
        for event in events:
            self._write("sample", event=msgspec.Raw(event.data))

    def ended(self, record: Record) -> None:
        super().ended(record)
        if (finished := record.finished) is not None:
            self._write(
                "done",
                sync=finished.id,
                calls=finished.counts.calls,
                undeliverable=finished.undeliverable,
                members=record.members,
            )

    def _write(self, step: str, **members: Any) -> None:
        line = {"time": msgspec.Raw(render(datetime.now(UTC))), "step": step, **members}
        if self._pipe is None:
            return
        try:
            self._pipe.write(msgspec.json.encode(line) + b"\n")
        except BrokenPipeError:
            self._pipe = None
            # Python would complain when it flushes what is left at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _OnTerminal(SyncScreen):
    """Lines for the eye, and a bar with the rate, the shards' limit and the time left."""

    def __init__(self) -> None:
        super().__init__()
        self._console = console(soft_wrap=True)
        self._progress: Progress | None = None

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def read(self, snapshot: Snapshot) -> None:
        found = [(getattr(snapshot, name), words) for name, words in _SKIPPED.items()]
        skipped = ", ".join(f"{count:,} {words}" for count, words in found if count)
        self._print(
            f"{snapshot.rows:,} rows, {snapshot.members:,} members"
            + (f"; left out: {skipped}" if skipped else "")
        )

    def resumes(self, unfinished: Unfinished, settled: int) -> None:
        calls = unfinished.counts.calls
        self._print(f"A sync that was begun goes on first: {settled:,} of its {calls:,} calls are in")

    def compared(self, counts: Counts) -> None:
        self._print(
            f"{counts.entered:,} entered, {counts.left:,} left, {counts.changed:,} changed, "
            f"{counts.unchanged:,} unchanged: {counts.calls:,} calls"
        )

    def adds(self, destinations: list[str]) -> None:
        self._print(
            f"New since the last sync, so told only what changes: {', '.join(destinations)}; "
            "after headgate audience forget the next sync tells everybody"
        )

    def sending(self, pace: Pace) -> None:
        if self._progress is None:
            self._progress = self._bar()
            self._progress.add_task("", total=pace.total, completed=pace.settled, rate="", trouble="")
        [task] = self._progress.tasks
        limit = f" of {pace.limit:,.0f}" if pace.limit is not None else ""
        self._progress.update(
            task.id,
            completed=pace.settled,
            rate=f"{task.speed or 0:,.0f}{limit} calls/s",
            trouble=printable(pace.trouble or ""),
        )

    def undeliverable(self, reasons: dict[str, int]) -> None:
        self.close()
        for reason, calls in reasons.items():
            self._print(f"{calls:,} calls can never be delivered: {reason}")

    def samples(self, events: Sequence[Event]) -> None:
        from rich.text import Text

        for event in events:
            self._console.print(Text(printable(event.data.decode())))

    def ended(self, record: Record) -> None:
        super().ended(record)
        if (finished := record.finished) is not None:
            calls = finished.counts.calls - finished.undeliverable
            self._print(f"{calls:,} calls delivered; {record.members:,} members")

    def _bar(self) -> "Progress":
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[trouble]}", style="bold", markup=False),
            console=self._console,
        )
        progress.start()
        return progress

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text(printable(line)))


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "entered": counts.entered,
        "left": counts.left,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "calls": counts.calls,
        "membersBefore": counts.members_before,
        "members": counts.members,
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)
