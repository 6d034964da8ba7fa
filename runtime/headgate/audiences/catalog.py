"""All audiences and traits of a store: listed, found by name, forgotten."""

import time

import msgspec

from headgate.audiences.folder import DOCUMENT, Folder
from headgate.audiences.record import Record
from headgate.audiences.store import Store
from headgate.errors import UsageError


def every_record(store: Store) -> list[Record]:
    """Return what is kept of each audience and trait, ordered by source and key.

    Raises:
        HeadgateError: the store cannot be read.
    """
    found = []
    for path in store.paths(""):
        source, _, rest = path.partition("/")
        key, _, name = rest.partition("/")
        if name == DOCUMENT and (record := Folder.at(store, f"{source}/{key}").record()) is not None:
            found.append(record)
    return sorted(found, key=lambda record: (record.source_id, record.key))


def find(store: Store, name: str, source_id: str | None) -> Record:
    """Return what is kept of an audience or trait, by its name or its key.

    Raises:
        UsageError: there is none, or several sources have one.
    """
    every = every_record(store)
    found = [each for each in every if name in (each.name, each.key) and source_id in (None, each.source_id)]
    if len(found) == 1:
        return found[0]
    if found:
        sources = ", ".join(each.source_id for each in found)
        raise UsageError(f"several sources have {name!r}: {sources}; give --source")
    there = ", ".join(repr(each.name) for each in every if source_id in (None, each.source_id)) or "none"
    raise UsageError(f"{store.name} has nothing of the name or key {name!r}; there are: {there}")


def forget(store: Store, record: Record) -> None:
    """Remove the members that were delivered, and a sync that was begun: the next one sends everyone.

    Name and key stay taken, and no sync gets an ID that another had.

    Raises:
        BusyError: it is being synced.
        HeadgateError: the store cannot be written.
    """
    folder = Folder(store, record.source_id, record.key)
    with folder.lock(f"the {record.kind} {record.name!r} of source {record.source_id}"):
        there = folder.record() or record
        latest = max(there.latest + 1, round(time.time() * 1000))
        there = msgspec.structs.replace(
            there, latest=latest, members=0, state=None, unfinished=None, finished=None, destinations=()
        )
        folder.replace(there)
        folder.tidy(there)
