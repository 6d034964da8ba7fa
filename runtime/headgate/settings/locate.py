"""Which store `--sources` means."""

import re
from pathlib import Path

from botocore.session import Session

from headgate.errors import UsageError
from headgate.settings.file_store import FileStore
from headgate.settings.secret_store import SCHEME, SecretStore
from headgate.settings.store import Store

_ANY_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def store_at(location: str, session: Session) -> Store:
    """Return the store at a location; nothing of it is read yet.

    Args:
        location: the path of a file, or `secretsmanager://NAME`.
        session: for what lies in AWS.

    Raises:
        UsageError: it is neither.
    """
    if location.startswith(SCHEME):
        return SecretStore(session, location.removeprefix(SCHEME))
    if _ANY_SCHEME.match(location):
        raise UsageError(f"--sources is {location!r}; allowed: the path of a TOML file, or {SCHEME}NAME")
    return FileStore(Path(location))
