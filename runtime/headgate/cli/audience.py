"""`headgate audience`: who is in an audience, told to the destinations of a source; and what was told."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headgate.cli import syncing
from headgate.cli.output import Pipe, console, ended_by_its_reader, figures_table
from headgate.errors import UsageError
from headgate.texts import printable

if TYPE_CHECKING:
    from headgate.audiences.record import Record
    from headgate.audiences.store import Store

app = typer.Typer(
    help="Audiences, and computed traits: who is in them, told to the destinations of a source.",
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The name of an audience or trait, or its key.", show_default=False),
]
OfSource = Annotated[str | None, typer.Option(metavar="ID", help="Only of this source.", show_default=False)]


@app.command("sync")
def sync(
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="The audience's name: its key is made of it.", show_default=False),
    ],
    members: Annotated[
        list[str],
        typer.Option(
            metavar="FILE|s3://...",
            help="Who is in it: CSV, JSON lines or Parquet. A file, a directory, a pattern, or an S3 "
            "prefix that ends in /; more of them with the option again.",
            show_default=False,
        ),
    ],
    source: syncing.Source,
    sources: syncing.Sources = "sources.toml",
    id_column: syncing.IdColumn = "user_id",
    anonymous_id_column: syncing.AnonymousIdColumn = None,
    state: syncing.State = None,
    allow_empty: syncing.AllowEmpty = False,
    max_removed: syncing.MaxRemoved = 0.5,
    max_records_per_second: syncing.MaxRecordsPerSecond = None,
    deliver_within: syncing.DeliverWithin = 300.0,
    dry_run: syncing.DryRun = False,
    service_name: syncing.ServiceName = None,
) -> None:
    """Tell the destinations of a source who entered an audience and who left it.

    An identify call for each, with the trait KEY true or false: at the first sync
    for everybody, later for changes alone. The key is the name in lower case, with
    _ for every character that is no letter a-z and no digit.

    It may be killed at any instant. Started again it goes on, and repeats 1,000
    calls at most, under the same message IDs. One sync of an audience at a time.

    Example: headgate audience sync --name "Order completed last 30days" --members m.csv --source 8kf3Qw2LpZ
    """
    syncing.sync(
        syncing.Options(
            kind="audience",
            name=name,
            files=members,
            files_option="--members",
            source=source,
            sources=sources,
            state=state,
            id_column=id_column,
            anonymous_id_column=anonymous_id_column,
            allow_empty=allow_empty,
            max_removed=max_removed,
            max_records_per_second=max_records_per_second,
            deliver_within=deliver_within,
            dry_run=dry_run,
            service_name=service_name,
        )
    )


@app.command("list")
def list_(state: syncing.State = None, source: OfSource = None) -> None:
    """List audiences and traits: key, members, the last sync, and whether one is unfinished.

    On a terminal a table. In a pipe one JSON object a line.

    Example: headgate audience list --state s3://my-bucket/audiences/
    """
    from headgate.audiences.catalog import every_record

    records = [each for each in every_record(_store(state)) if source in (None, each.source_id)]
    with ended_by_its_reader():
        if not sys.stdout.isatty():
            _pipe(*map(_object, records))
            return
        table = figures_table("key", ("kind", "source", "members", "last sync", "calls", "unfinished"))
        for record in records:
            table.add_row(*map(printable, _row(record)))
        console().print(table if records else "There are none.")


@app.command("show")
def show(name: Name, state: syncing.State = None, source: OfSource = None) -> None:
    """Show what is kept of an audience or a trait.

    Example: headgate audience show "Order completed last 30days"
    """
    from headgate.audiences.catalog import find

    told = _object(find(_store(state), name, source))
    with ended_by_its_reader():
        if not sys.stdout.isatty():
            _pipe(told)
            return
        table = figures_table("", ())
        table.add_column("")
        for title, value in told.items():
            table.add_row(title, printable(str(value)))
        console(soft_wrap=True).print(table)


@app.command("forget")
def forget(
    name: Name,
    state: syncing.State = None,
    source: OfSource = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Forget what was delivered, so that the next sync tells everybody.

    A sync that was begun is given up. Who left since the last sync is not told.
    The name keeps its key.

    Example: headgate audience forget "Order completed last 30days" --yes
    """
    from headgate.audiences.catalog import find
    from headgate.audiences.catalog import forget as forget_in

    store = _store(state)
    record = find(store, name, source)
    if not yes:
        raise UsageError(
            f"forget has the next sync of the {record.kind} {record.name!r} of source {record.source_id} "
            f"tell everybody again; {record.members:,} members are known; give --yes if that is meant"
        )
    forget_in(store, record)
    typer.echo(f"forgotten: {record.members:,} members of the {record.kind} {record.name!r}")


def _store(location: str | None) -> "Store":
    from headgate.audiences.locate import store_at
    from headgate.clients import own_session

    return store_at(location, own_session())


def _object(record: "Record") -> dict[str, Any]:
    finished, unfinished = record.finished, record.unfinished
    return {
        "name": record.name,
        "key": record.key,
        "kind": record.kind,
        "source": record.source_id,
        "members": record.members,
        "syncs": record.syncs,
        "lastSync": _time(finished.id) if finished is not None else None,
        "entered": finished.counts.entered if finished is not None else None,
        "left": finished.counts.left if finished is not None else None,
        "changed": finished.counts.changed if finished is not None else None,
        "undeliverable": finished.undeliverable if finished is not None else None,
        "unfinishedSync": _time(unfinished.id) if unfinished is not None else None,
        "unfinishedCalls": unfinished.counts.calls if unfinished is not None else None,
        "destinations": list(record.destinations),
    }


def _row(record: "Record") -> tuple[str, ...]:
    finished, unfinished = record.finished, record.unfinished
    return (
        record.key,
        record.kind,
        record.source_id,
        f"{record.members:,}",
        _time(finished.id) if finished is not None else "-",
        f"{finished.counts.calls:,}" if finished is not None else "-",
        f"{unfinished.counts.calls:,} calls" if unfinished is not None else "-",
    )


def _time(sync: int) -> str:
    """Return when a sync was begun, which its ID says."""
    return datetime.fromtimestamp(sync / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _pipe(*told: dict[str, Any]) -> None:
    import msgspec

    Pipe().write(b"".join(msgspec.json.encode(each) + b"\n" for each in told))
