"""The table of settings that a command is about, as its arguments name it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.errors import UsageError

if TYPE_CHECKING:
    from headgate.settings.table.client import SettingsTable
    from headgate.settings.table.layout import Kept
    from headgate.settings.table.sealing import Sealing
    from headgate.settings.table.writer import Writer

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


@dataclass(frozen=True)
class OpenTable:
    """A table, and what it takes to change it."""

    table: "SettingsTable"
    sealing: "Sealing"
    writer: "Callable[[], Writer]"
    """It asks STS who is changing something."""

    def encrypting(self, key: str | None) -> Callable[[str, str, str], str]:
        """Return what encrypts Secret IDs, under the table's own key where none is named."""
        return self.sealing.encrypting(cache(lambda: key or self.table.key_arn()))


def open_table(name: str) -> OpenTable:
    """Return the table of a name; nothing is asked of it yet.

    Raises:
        UsageError: it is none, or no region is known.
    """
    from headgate.clients import own_session
    from headgate.settings.table.client import SCHEME, SettingsTable
    from headgate.settings.table.sealing import Sealing
    from headgate.settings.table.writer import Writer, caller

    session = own_session()
    table = SettingsTable(session, name.removeprefix(SCHEME))
    return OpenTable(
        table,
        Sealing(session, table.region, about=table.name),
        lambda: Writer(table=table, who=caller(session, table.region)),
    )


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
