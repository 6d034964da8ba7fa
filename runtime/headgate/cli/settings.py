"""`headgate settings`: sources and destinations in a table, looked at and changed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.cli import settings_output as output
from headgate.cli.output import ended_by_its_reader
from headgate.cli.tables import Key, Table, open_table, source_at_version, source_of
from headgate.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from headgate.settings.schema import Source
    from headgate.settings.table.opened import OpenTable
    from headgate.settings.table.transactions import Change

app = typer.Typer(
    help="Sources and destinations in a DynamoDB table, which every worker follows without a restart.",
    no_args_is_help=True,
)

SourceId = Annotated[str, typer.Argument(metavar="SOURCE", help="The source ID.", show_default=False)]
DestinationName = Annotated[
    str | None,
    typer.Option(
        "--destination",
        metavar="STREAM",
        help="One of its destinations: STREAM, or REGION/STREAM, or #2 for the second.",
        show_default=False,
    ),
]
IfVersion = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Change the source only if it is at this version still; 0 if it must not be there yet.",
        show_default="what it is at now",
    ),
]


@app.command("list")
def list_(table: Table) -> None:
    """Show every source of the table.

    On a terminal a table, in a pipe a JSON object a line, as `show` prints it.

    Example: headgate settings list --table headgate-settings
    """
    with ended_by_its_reader():
        output.show_sources(open_table(table).table.sources())


@app.command()
def show(source: SourceId, table: Table) -> None:
    """Show a source: its version, who changed it last, and every field of it and of its destinations.

    A write key is shown as the beginning of its hash, a Secret ID only as set.

    Example: headgate settings show 8kf3Qw2LpZ --table headgate-settings
    """
    with ended_by_its_reader():
        output.show_source(source_of(open_table(table).table, source))


@app.command("set")
def set_(
    source: SourceId,
    table: Table,
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIELD=VALUE",
            help="Fields as sources.toml names them. FIELD= gives the default again; FIELD+=VALUE and "
            "FIELD-=VALUE add to a list and take from it.",
            show_default=False,
        ),
    ] = None,
    destination: DestinationName = None,
    secret_id: Annotated[
        bool,
        typer.Option(
            "--secret-id", help="Ask for the destination's Secret ID; in a pipe, read it as a line."
        ),
    ] = False,
    secret_id_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Read the Secret ID from a file.", show_default=False)
    ] = None,
    if_version: IfVersion = None,
    key: Key = None,
) -> None:
    """Change a source or one of its destinations, or make one that is not there yet.

    With --destination a field is the destination's if it has one of that name,
    and the source's if not.
    What comes of it is checked as a sources.toml is, and written only if nobody
    has changed the source meanwhile.

    Examples:
    headgate settings set web enabled=false

    headgate settings set web write_keys+=wk_new write_keys-=sha256:1a2b3c4d

    headgate settings set web --destination events ordering=strict --secret-id

    headgate settings set app write_keys=wk_app --destination events role_address=arn:aws:iam::...:role/writer
    """
    from headgate.settings.table.editing import assignment, edited
    from headgate.settings.table.stored import sealed
    from headgate.settings.table.transactions import Change

    assignments = [assignment(each) for each in fields or ()]
    given = _secret_id(secret_id, secret_id_file)
    opened = open_table(table)
    before = source_at_version(opened.table, source, if_version)
    was = before.source if before is not None else None
    wanted = edited(source, was, assignments, destination=destination, secret_id=given)
    after = sealed(wanted, opened.encrypting(key))
    _write(opened, Change(before, after))


@app.command()
def remove(
    source: SourceId, table: Table, destination: DestinationName = None, if_version: IfVersion = None
) -> None:
    """Remove a source, or one of its destinations. A write key is removed with `set`.

    Events that are held still go where they were bound for.

    Example: headgate settings remove web --destination eu-west-1/events
    """
    from headgate.settings.table.editing import without
    from headgate.settings.table.transactions import Change

    opened = open_table(table)
    before = source_at_version(opened.table, source, if_version) or source_of(opened.table, source)
    _write(opened, Change(before, without(before.source, destination) if destination is not None else None))


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A sources.toml, or an export.", show_default=False)
    ],
    table: Table,
    key: Key = None,
) -> None:
    """Write the sources of a file into the table; sources that are not in the file stay.

    Write keys become hashes and Secret IDs are encrypted, unless they are already. All of the file is checked
    before anything is written; who interrupts it may begin again.

    Example: headgate settings import sources.toml --table headgate-settings
    """
    from headgate.settings.file_store import text_of
    from headgate.settings.table.stored import read_export, sealed
    from headgate.settings.table.transactions import Change

    wanted = read_export(text_of(file), where=str(file))
    opened = open_table(table)
    encrypt = opened.encrypting(key)
    there = {each.source.id: each for each in opened.table.sources()}
    changes = [Change(there.get(each.id), sealed(each, encrypt)) for each in wanted]
    changes = [each for each in changes if each.was != each.after]
    if changes:
        opened.writer().write(changes)
    output.show_imported(
        new=sum(each.before is None for each in changes),
        changed=sum(each.before is not None for each in changes),
        as_they_were=len(wanted) - len(changes),
        others=len(there.keys() - {each.id for each in wanted}),
    )


@app.command()
def export(table: Table) -> None:
    """Print the whole table as TOML: write keys as hashes, Secret IDs as KMS encrypted them.

    `headgate settings import` takes it, into a table whose readers may use the same KMS key.

    Example: headgate settings export --table headgate-settings > settings.toml
    """
    from headgate.settings.table.stored import export as text_of

    with ended_by_its_reader():
        sys.stdout.write(text_of(each.source for each in open_table(table).table.sources()))


@app.command()
def validate(
    store: Annotated[
        str,
        typer.Argument(
            metavar="FILE|STORE",
            help="A sources.toml or an export; or a store as `headgate serve --sources` takes it.",
            show_default=False,
        ),
    ],
) -> None:
    """Check sources as the forwarder does when it reads them; of a table, whether it may decrypt too.

    Example: headgate settings validate sources.toml
    """
    from headgate.clients import own_session
    from headgate.settings.file_store import FileStore, text_of
    from headgate.settings.locate import store_at
    from headgate.settings.table.stored import read_export

    at = store_at(store, own_session())
    sources: list[Source] = (
        [*read_export(text_of(Path(store)), where=store)]
        if isinstance(at, FileStore)
        else [*{each.id: each for each in at.latest().sources().values()}.values()]
    )
    destinations = sum(len(each.destinations) for each in sources)
    typer.echo(f"{store}: valid, {len(sources):,} sources with {destinations:,} destinations")


@app.command()
def history(
    table: Table,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="A source ID.", show_default="all sources")
    ] = None,
) -> None:
    """Show who changed what and when, the newest first, for the last 400 days.

    On a terminal for the eye, in a pipe a JSON object a line. It shows no Secret ID, and of a write key the
    beginning of its hash.

    Example: headgate settings history 8kf3Qw2LpZ --table headgate-settings
    """
    with ended_by_its_reader():
        output.show_history(open_table(table).table.history(source))


def _write(opened: "OpenTable", change: "Change") -> None:
    number = None if change.was == change.after else opened.writer().write([change])
    output.show_change(change, number)


def _secret_id(ask: bool, file: Path | None) -> str | None:
    from headgate.settings.file_store import text_of

    if ask and file is not None:
        raise UsageError("give one of --secret-id and --secret-id-file")
    if file is not None:
        text = text_of(file)
    elif ask and sys.stdin.isatty():
        text = typer.prompt("Secret ID", hide_input=True, err=True)
    elif ask:
        text = sys.stdin.readline()
    else:
        return None
    if not (secret_id := text.strip()):
        raise SettingsError("the Secret ID is empty; secret_id= takes one away")
    return secret_id
