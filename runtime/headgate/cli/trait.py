"""`headgate trait`: the value of a computed trait for each user, told to the destinations of a source."""

from typing import Annotated

import typer

from headgate.cli import syncing

app = typer.Typer(
    help="Computed traits: their values, told to the destinations of a source.", no_args_is_help=True
)


@app.callback()
def trait() -> None:
    """Computed traits: their values, told to the destinations of a source."""


@app.command("sync")
def sync(
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The trait's name: its key is made of it.", show_default=False)
    ],
    values: Annotated[
        list[str],
        typer.Option(
            metavar="FILE|s3://...",
            help="Who has which value: CSV, JSON lines or Parquet. A file, a directory, a pattern, or an S3 "
            "prefix that ends in /; more of them with the option again.",
            show_default=False,
        ),
    ],
    source: syncing.Source,
    value_column: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the value.")] = "value",
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
    """Tell the destinations of a source the values of a computed trait that have changed.

    An identify call for each user whose value is new or another, with the trait
    KEY; who has none any more is told null. All else is as in audience sync, and
    audience list, show and forget are for traits too.

    Example: headgate trait sync --name "Total revenue 180 days" --values totals.csv --source 8kf3Qw2LpZ
    """
    syncing.sync(
        syncing.Options(
            kind="trait",
            name=name,
            files=values,
            files_option="--values",
            value_column=value_column,
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
