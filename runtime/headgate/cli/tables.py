"""The table of settings that a command is about, as its arguments name it."""

from typing import TYPE_CHECKING, Annotated

import typer

from headgate.errors import UsageError

if TYPE_CHECKING:
    from headgate.settings.table.client import SettingsTable
    from headgate.settings.table.layout import Kept
    from headgate.settings.table.opened import OpenTable

Table = Annotated[
    str,
    typer.Option(
        metavar="TABLE",
        envvar="HEADGATE_SETTINGS_TABLE",
        help="The table, by its name or its whole ARN; dynamodb:// may stand before it.",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(metavar="KMS_KEY", help="The KMS key for Secret IDs.", show_default="the table's own"),
]


def open_table(name: str) -> "OpenTable":
    """Return the table of a name, with the credentials of this process; nothing is asked of it yet.

    Raises:
        UsageError: it is none, or no region is known.
    """
    from headgate.clients import own_session
    from headgate.settings.table import opened

    return opened.open_table(own_session(), name)


def source_of(table: "SettingsTable", source_id: str) -> "Kept":
    """Return a source.

    Raises:
        UsageError: there is none.
    """
    kept = table.source(source_id)
    if kept is None:
        raise UsageError(f"{table.name} has no source {source_id!r}; see: headgate settings list")
    return kept


def source_at_version(table: "SettingsTable", source_id: str, wanted: int | None) -> "Kept | None":
    """Return a source, if there is one.

    Raises:
        StaleChange: it is not at the version that is wanted; 0 is that of no source.
    """
    from headgate.settings.table.writer import stale

    kept = table.source(source_id)
    if wanted is not None and wanted != (kept.number if kept is not None else 0):
        raise stale(source_id, wanted or None, kept)
    return kept
