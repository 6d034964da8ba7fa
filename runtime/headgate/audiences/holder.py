"""Who holds a lock: what a process writes into it, and how others are told."""

import os
import secrets
import socket
from datetime import UTC, datetime

import msgspec


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A process that holds a lock, or held it."""

    name: str
    """Machine and process, for people."""
    id: str
    """Another for every process and every lock."""
    since: str
    """When it took the lock."""
    beat: int = 0
    """How often it has said that it is alive: no two of its documents are the same."""
    released: bool = False


def this_process() -> Holder:
    """Return this process as the holder of one more lock."""
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Holder(name=f"{socket.gethostname()}, process {os.getpid()}", id=secrets.token_hex(8), since=since)


def read(content: bytes) -> Holder | None:
    """Return the holder that a lock's document names; None where it is none."""
    try:
        return msgspec.json.decode(content, type=Holder)
    except msgspec.DecodeError:
        return None


def told(what: str, holder: Holder | None) -> str:
    """Return in one line that another holds the lock on something."""
    by = f"{holder.name}, since {holder.since}" if holder is not None else "another process"
    return f"{what} is being synced by {by}; one sync at a time"
