"""`headgate redrive`: dead letters, and what waits in the overflow queue: looked at, and sent again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from headgate.errors import UsageError
from headgate.reading.since import parse_instant


def redrive(
    sources: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="The sources, whose Secret IDs are sent when roles are assumed; see: headgate serve --help. "
            "--list and --show need none.",
            show_default=False,
        ),
    ] = None,
    dead_letter_queue: Annotated[
        str | None, typer.Option(metavar="URL", help="The queue of the dead letters.", show_default=False)
    ] = None,
    dead_letter_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The file of the dead letters.", show_default=False)
    ] = None,
    overflow_queue: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The overflow queue, which the forwarder drains by itself.",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only list them, by destination and reason, with their age.")
    ] = False,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="ID|N",
            help="Only show one and its event: by its message ID, or the N-th of those asked for.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be sent where.")] = False,
    source: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only those of this source.", show_default=False)
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only those for this stream.", show_default=False)
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Only those of this reason.", show_default=False)
    ] = None,
    message_id: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this messageId.", show_default=False)
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="1h|TIMESTAMP",
            help="Only those given up so long ago, or before then.",
            show_default=False,
        ),
    ] = None,
    newer_than: Annotated[
        str | None,
        typer.Option(metavar="1h|TIMESTAMP", help="Only those given up since.", show_default=False),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option("--max", metavar="N", min=1, help="End after N of them.", show_default=False),
    ] = None,
    max_records_per_second: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Send so many a second at most, evenly.", show_default=False),
    ] = None,
) -> None:
    """Send dead letters again, each to where it was bound for, and remove those that Kinesis took.

    Those that it did not take stay, with the new reason on standard error;
    the exit status is then 1. Give one of --dead-letter-queue,
    --dead-letter-file and --overflow-queue.

    An option that filters may be given again: a letter has to have one of
    its values, and to pass every kind of filter that is given.

    Ctrl-C ends it with status 130: what Kinesis took has left the store,
    all else is still there. The same command goes on.

    --list, --show and --dry-run send and remove nothing. On a terminal they
    print a table, in a pipe one JSON object a line. To look into a queue is
    to receive its messages: they are hidden from others meanwhile, and given
    back at the end.

    Examples:
    headgate redrive --dead-letter-file dead-letters.jsonl --sources sources.toml

    headgate redrive --dead-letter-queue $URL --list

    headgate redrive --dead-letter-queue $URL --code too_large --show 1

    headgate redrive --overflow-queue $URL --sources sources.toml --older-than 1h --max-records-per-second 500
    """
    from headgate.overflow.selection import Selection

    if sum(each is not None for each in (dead_letter_queue, dead_letter_file, overflow_queue)) != 1:
        raise UsageError("give one of --dead-letter-queue, --dead-letter-file and --overflow-queue")
    if sum((list_, show is not None, dry_run)) > 1:
        raise UsageError("give one of --list, --show and --dry-run at most")
    if dead_letter_file is not None and not dead_letter_file.is_file():
        raise UsageError(f"--dead-letter-file: {str(dead_letter_file)!r} is no file")
    now = datetime.now(UTC)
    number = int(show) if show is not None and show.isdecimal() else None
    if number == 0:
        raise UsageError("--show: 0 is not allowed; allowed: 1 for the first, 2, ..., or a message ID")
    asked = Selection(
        sources=frozenset(source or ()),
        streams=frozenset(stream or ()),
        codes=frozenset(code or ()),
        message_ids=frozenset(message_id or (() if show is None or number else (show,))),
        since=None if newer_than is None else parse_instant("--newer-than", newer_than, now),
        until=None if older_than is None else parse_instant("--older-than", older_than, now),
    )
    from headgate.cli.redriving import listed, planned, sent, shown
    from headgate.overflow.places import Place

    place = Place(dead_letter_queue, dead_letter_file, overflow_queue)
    if list_:
        listed(place, asked, most)
    elif show is not None:
        shown(place, asked, number or 1, show)
    elif sources is None:
        raise UsageError("give --sources: where the sources and their Secret IDs are")
    elif dry_run:
        planned(place, asked, sources, most)
    else:
        sent(place, asked, sources, most, max_records_per_second)
