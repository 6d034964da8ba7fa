"""A table, and what it takes to change it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from botocore.session import Session

from headgate.settings.table.client import SCHEME, SettingsTable
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.stored import Encrypt
from headgate.settings.table.writer import Writer, caller


@dataclass(frozen=True)
class OpenTable:
    """A table, and what it takes to change it."""

    table: SettingsTable
    sealing: Sealing
    writer: Callable[[], Writer]
    """It asks STS who is changing something."""

    def encrypting(self, key: str | None = None) -> Encrypt:
        """Return what encrypts Secret IDs, under the table's own key where none is named."""
        return self.sealing.encrypting(cache(lambda: key or self.table.key_arn()))


def open_table(session: Session, name: str) -> OpenTable:
    """Return a table; nothing is asked of it yet.

    Args:
        session: its credentials and its endpoints are used.
        name: the table's name, or its whole ARN; `dynamodb://` may stand before it.

    Raises:
        UsageError: it is none, or no region is known.
    """
    table = SettingsTable(session, name.removeprefix(SCHEME))
    return OpenTable(
        table,
        Sealing(session, table.region, about=table.name),
        lambda: Writer(table=table, who=caller(session, table.region)),
    )
