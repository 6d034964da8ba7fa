"""Which store `--state` means."""

import os
import re
from pathlib import Path

from botocore.session import Session

from headgate.audiences.bucket import SCHEME
from headgate.audiences.local_store import LocalStore
from headgate.audiences.s3_store import S3Store
from headgate.audiences.store import Store
from headgate.errors import UsageError

_ANY_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def store_at(location: str | None, session: Session) -> Store:
    """Return the store at a location; nothing of it is read yet.

    Args:
        location: a directory, or `s3://BUCKET/PREFIX`; None for `headgate/audiences` where programs
            of this user keep their state (`XDG_STATE_HOME`, or else `~/.local/state`).
        session: for what lies in S3.

    Raises:
        UsageError: it is neither.
    """
    if location is None:
        home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
        return LocalStore(Path(home) / "headgate" / "audiences")
    if location.startswith(SCHEME):
        return S3Store(session, location)
    if _ANY_SCHEME.match(location):
        raise UsageError(f"--state is {location!r}; allowed: a directory, or {SCHEME}BUCKET/PREFIX")
    return LocalStore(Path(location))
