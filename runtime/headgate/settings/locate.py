"""Which store `--sources` means."""

import re
from pathlib import Path

from botocore.session import Session

from headgate.errors import UsageError
from headgate.settings.file_store import FileStore
from headgate.settings.secret_store import SCHEME, SecretStore
from headgate.settings.store import Store
from headgate.settings.table import client as table
from headgate.settings.table.store import TableStore

_ANY_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def store_at(location: str, session: Session) -> Store:
    """Return the store at a location; nothing of it is read yet.

    Args:
        location: the path of a file, `secretsmanager://NAME` or `dynamodb://TABLE`.
        session: for what lies in AWS.

    Raises:
        UsageError: it is none of them.
    """
    if location.startswith(SCHEME):
        return SecretStore(session, location.removeprefix(SCHEME))
    if location.startswith(table.SCHEME):
        return TableStore(session, location.removeprefix(table.SCHEME))
    if _ANY_SCHEME.match(location):
        raise UsageError(
            f"--sources is {location!r}; allowed: the path of a TOML file, {SCHEME}NAME, or "
            f"{table.SCHEME}TABLE"
        )
    return FileStore(Path(location))
