"""How `headgate settings` shows a table: for the eye on a terminal, as JSON lines in a pipe."""

import sys
from typing import TYPE_CHECKING, Any

from headgate.cli.output import Pipe, console
from headgate.texts import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headgate.settings.table.layout import Entry, Kept
    from headgate.settings.table.transactions import Change


def show_sources(kept: "Iterable[Kept]") -> None:
    """Show sources, a line each."""
    if _in_a_pipe():
        _lines(map(_source, kept))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("source", "name", "write keys", "destinations", "version", "changed"):
        table.add_column(title, overflow="fold")
    for each in kept:
        source = each.source
        streams = (f"{to.region}/{to.stream_name}{_off(to.enabled)}" for to in source.destinations)
        cells = (
            source.id + _off(source.enabled),
            source.name,
            str(len(source.write_keys)),
            ", ".join(streams),
            str(each.number),
            each.changed_at,
        )
        table.add_row(*map(printable, cells), style=None if source.enabled else "dim")
    console().print(table, markup=False)


def show_source(kept: "Kept") -> None:
    """Show all that may be told of a source."""
    if _in_a_pipe():
        _lines([_source(kept)])
        return
    from headgate.settings.table.changes import worded

    said = _source(kept)
    destinations = said.pop("destinations")
    terminal = console(soft_wrap=True)
    for field, value in said.items():
        terminal.print(f"{field}: {printable(worded(value))}", markup=False)
    for place, destination in enumerate(destinations, start=1):
        terminal.print(f"destination #{place}", style="bold", markup=False)
        for field, value in destination.items():
            terminal.print(f"  {field}: {printable(worded(value))}", markup=False)


def show_history(entries: "Iterable[Entry]") -> None:
    """Show changes in the order in which they come."""
    if _in_a_pipe():
        _lines(
            {
                "version": entry.number,
                "source": entry.source,
                "changed_at": entry.changed_at,
                "changed_by": entry.changed_by,
                "changes": entry.changes,
            }
            for entry in entries
        )
        return
    terminal = console(soft_wrap=True)
    for entry in entries:
        line = f"{entry.changed_at}  version {entry.number}  {entry.source}  {entry.changed_by}"
        terminal.print(printable(line), style="bold", markup=False)
        _print_changes(entry.changes)


def show_change(change: "Change", number: int | None) -> None:
    """Show what was done to a source; a version of None says that there was nothing to do."""
    from headgate.settings.table.changes import what_changed

    changes = what_changed(change.was, change.after) if number is not None else []
    if _in_a_pipe():
        _lines([{"source": change.source_id, "version": number, "changes": changes}])
        return
    terminal = console(soft_wrap=True)
    done = "is as it was" if number is None else "was removed" if change.after is None else "was changed"
    at = f" in version {number}" if number is not None else ""
    terminal.print(printable(f"the source {change.source_id!r} {done}{at}"), markup=False)
    if change.after is not None:
        _print_changes(changes)


def show_imported(*, new: int, changed: int, as_they_were: int, others: int) -> None:
    """Show what an import came to, in sources."""
    if _in_a_pipe():
        _lines([{"new": new, "changed": changed, "as_they_were": as_they_were, "not_in_the_file": others}])
        return
    console().print(
        f"{new:,} new, {changed:,} changed, {as_they_were:,} as they were; "
        f"{others:,} that are not in the file stay"
    )


def _source(kept: "Kept") -> dict[str, Any]:
    from headgate.settings.table.changes import told

    return {
        "version": kept.number,
        "changed_at": kept.changed_at,
        "changed_by": kept.changed_by,
        **told(kept.source),
        "destinations": list(map(told, kept.source.destinations)),
    }


def _print_changes(changes: "Iterable[dict[str, Any]]") -> None:
    from headgate.settings.table.changes import worded

    terminal = console(soft_wrap=True)
    for each in changes:
        line = f"  {each['field']}: {worded(each['old'])} -> {worded(each['new'])}"
        terminal.print(printable(line), markup=False)


def _off(enabled: bool) -> str:
    return "" if enabled else " (off)"


def _lines(objects: "Iterable[dict[str, Any]]") -> None:
    import msgspec

    pipe = Pipe()
    for each in objects:
        pipe.write(msgspec.json.encode(each) + b"\n")


def _in_a_pipe() -> bool:
    return not sys.stdout.isatty()
