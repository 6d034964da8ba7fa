"""Letters on a terminal, for the eye, or in a pipe, as JSON lines."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from headgate.cli.output import Pipe, console, figures_table
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin
from headgate.overflow.summary import Group, Summary
from headgate.reading.record import event_in
from headgate.spec.timestamps import render
from headgate.texts import age, printable

_UNKNOWN = "nobody can read where to"


def show_groups(summary: Summary, now: datetime) -> None:
    """Show letters by destination and code: how many, and since when."""
    groups = summary.groups()
    if not sys.stdout.isatty():
        _lines([_place(each.origin) | _figures(each) for each in groups])
        return
    terminal = console(soft_wrap=True)
    if not groups:
        terminal.print("There is nothing of what was asked for.")
        return
    table = figures_table("destination", ("region", "code", "events", "KB", "oldest", "newest"))
    table.columns[1].justify = table.columns[2].justify = "left"
    for each in groups:
        table.add_row(
            *_name_and_region(each.origin),
            printable(each.code),
            f"{each.records:,}",
            f"{each.bytes / 1000:,.1f}",
            *(age((now - instant).total_seconds()) for instant in (each.oldest, each.newest)),
        )
    terminal.print(table)
    terminal.print()
    for each in groups:
        said = f"{_name_and_region(each.origin)[0]}: {each.code}: {each.message}"
        terminal.print(printable(said), markup=False)


def show_plan(summary: Summary, in_settings: Callable[[Origin], bool]) -> None:
    """Show where letters would be sent to.

    Args:
        summary: the letters.
        in_settings: whether the settings still have a destination.
    """
    found = summary.by_origin()
    if not sys.stdout.isatty():
        _lines(
            [
                _place(origin)
                | {
                    "records": records,
                    "bytes": size,
                    "in_settings": origin is not None and in_settings(origin),
                }
                for origin, (records, size) in found.items()
            ]
        )
        return
    terminal = console(soft_wrap=True)
    table = figures_table("destination", ("region", "events", "KB", "in the settings", "role"))
    table.columns[1].justify = table.columns[5].justify = "left"
    for origin, (records, size) in found.items():
        table.add_row(
            *_name_and_region(origin),
            f"{records:,}",
            f"{size / 1000:,.1f}",
            "-" if origin is None else "yes" if in_settings(origin) else "no",
            "-" if origin is None else printable(origin.role_address or "the caller's own"),
        )
    if found:
        terminal.print(table)
        terminal.print()
    sendable = sum(records for origin, (records, _) in found.items() if origin is not None)
    kept = sum(records for origin, (records, _) in found.items() if origin is None)
    terminal.print(f"{sendable:,} would be sent, {kept:,} kept; nothing was sent.")


def show_letter(letter: DeadLetter, now: datetime) -> None:
    """Show one letter and its event."""
    event = event_in(letter.data)
    if not sys.stdout.isatty():
        content = {"data": letter.data} if event is None else {"event": msgspec.Raw(event)}
        members = {
            "time": msgspec.Raw(render(letter.time.astimezone(UTC))),
            "origin": letter.origin,
            "partition_key": letter.partition_key,
            "code": letter.code,
            "message": letter.message,
        }
        _lines([members | content])
        return
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    terminal = console(soft_wrap=True)
    name, region = _name_and_region(letter.origin)
    role = letter.origin.role_address if letter.origin is not None else None
    when = letter.time.astimezone(UTC)
    for title, said in (
        ("destination", f"{name} in {region}" if letter.origin is not None else name),
        ("role", role or "-"),
        ("time", f"{when:%Y-%m-%dT%H:%M:%SZ}, {age((now - when).total_seconds())} ago"),
        ("reason", f"{letter.code}: {letter.message}"),
        ("partition key", letter.partition_key),
    ):
        terminal.print(Text.assemble((f"{title:<15}", "bold"), printable(said)))
    if event is None:
        terminal.print(Text(f"{len(letter.data):,} bytes that are no JSON: {letter.data[:200]!r}", "yellow"))
        return
    text = "\n".join(printable(line) for line in _pretty(event).splitlines())
    terminal.print(JSONHighlighter()(Text(text)))


@contextmanager
def progress(unit: str, total: int | None, said: Callable[[], str]) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how far it is; give what is told of each step.

    Args:
        unit: what is counted.
        total: about how many there are; None where nobody knows.
        said: returns what stands beside the bar.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    terminal = console(error=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(
        *columns, TimeRemainingColumn(), console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bar:
        task = bar.add_task(said(), total=total)

        def advance(size: int) -> None:
            bar.update(task, advance=size, description=said())

        yield advance


def _lines(lines: Sequence[Mapping[str, Any]]) -> None:
    Pipe().write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def _place(origin: Origin | None) -> dict[str, Any]:
    names = ("source_id", "region", "stream_name", "role_address")
    return {name: getattr(origin, name, None) for name in names}


def _figures(group: Group) -> dict[str, Any]:
    return {
        "code": group.code,
        "message": group.message,
        "records": group.records,
        "bytes": group.bytes,
        "oldest": msgspec.Raw(render(group.oldest.astimezone(UTC))),
        "newest": msgspec.Raw(render(group.newest.astimezone(UTC))),
    }


def _name_and_region(origin: Origin | None) -> tuple[str, str]:
    return (_UNKNOWN, "-") if origin is None else (printable(origin.name), printable(origin.region))


def _pretty(event: bytes) -> str:
    try:
        return msgspec.json.format(event, indent=2).decode()
    except msgspec.DecodeError:  # JSON all the same: see reading.record
        return event.decode()
