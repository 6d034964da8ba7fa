"""The folder of one audience in a store: its document, its files, the progress of its sync, its lock.

A sync begins and ends by replacing the document `audience.json`. All else is written before, under names of
its own, so whoever is killed leaves the document as it was, and litter that the next sync removes.
"""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

import msgspec

from headgate.audiences.ranges import Pairs, Ranges
from headgate.audiences.record import Progress, Record
from headgate.audiences.store import Document, Lock, Store
from headgate.errors import HeadgateError

DOCUMENT = "audience.json"

_Read = TypeVar("_Read")
_ID_OF_FILE = re.compile(r"(?:state|changes|progress)-(\d+)[-.]")


class Folder:
    """What is kept of the audience of one key and source.

    Args:
        store: where.
        source_id: the source.
        key: the key.
        process: names this process in the names of its files.
    """

    def __init__(self, store: Store, source_id: str, key: str, process: str = "") -> None:
        self._store = store
        self.path = f"{quote(source_id, safe='').replace('.', '%2E')}/{key}"
        self._process = process
        self._documents: dict[str, Document | None] = {}

    @classmethod
    def at(cls, store: Store, path: str) -> "Folder":
        """Return the folder of a path."""
        source, _, key = path.partition("/")
        return cls(store, unquote(source), key)

    def lock(self, what: str) -> AbstractContextManager[Lock]:
        """Lock it; see `Store.lock`."""
        return self._store.lock(f"{self.path}/lock", what)

    def scratch(self) -> AbstractContextManager[Path]:
        """Give a directory for files that nobody misses."""
        return self._store.scratch(self.path)

    def record(self) -> Record | None:
        """Return the audience's document; None before the first sync."""
        return self._read(DOCUMENT, Record)

    def replace(self, record: Record) -> None:
        """Put a document in place of the one that was read or written last.

        Raises:
            BusyError: another process has put one meanwhile.
        """
        self._write(DOCUMENT, record)

    def begin_progress(self, sync: int) -> str:
        """Write the progress of a sync that has come nowhere yet, and return the document's name.

        From then on progress replaces progress: who has lost the lock learns it when it saves the next.
        """
        name = f"progress-{sync}-{self._process}.json"
        self._documents[name] = None
        self.save_progress(name, (), ())
        return name

    def progress(self, name: str) -> tuple[Ranges, Ranges]:
        """Return which calls of a sync were acknowledged, and which can never be delivered.

        Raises:
            HeadgateError: the document is gone, or is none of ours.
        """
        progress = self._read(name, Progress)
        if progress is None:
            raise HeadgateError(f"{self._store.name}: {self.path}/{name} is gone, though a sync needs it")
        return Ranges(progress.acknowledged), Ranges(progress.undeliverable)

    def save_progress(self, name: str, acknowledged: Pairs, undeliverable: Pairs) -> None:
        """Put progress in place of what was read or saved last.

        Raises:
            BusyError: another process has saved some meanwhile.
        """
        progress = Progress(by=self._process, acknowledged=acknowledged, undeliverable=undeliverable)
        self._write(name, progress)

    def keep(self, kind: str, sync: int, file: Path) -> str:
        """Keep a file under a name that no other has, and return it."""
        name = f"{kind}-{sync}-{self._process}.parquet"
        self._store.keep(f"{self.path}/{name}", file)
        return name

    def fetch(self, name: str, scratch: Path) -> Path:
        """Return the path of a file on this machine; it is not to be written."""
        return self._store.fetch(f"{self.path}/{name}", scratch)

    def tidy(self, record: Record) -> None:
        """Remove the files that the document does not name, of syncs that are over.

        A process that has lost its lock and does not know it removes nothing that its successor needs: a file
        of a later sync than those of the document in its hands.
        """
        unfinished = record.unfinished
        named = {record.state, *((unfinished.changes, unfinished.progress) if unfinished is not None else ())}
        litter = []
        for path in self._store.paths(self.path):
            name = path.removeprefix(f"{self.path}/")
            of_sync = _ID_OF_FILE.match(name)
            if of_sync is not None and int(of_sync[1]) <= record.latest and name not in named:
                litter.append(path)
        self._store.remove(litter)

    def _read(self, name: str, type_: type[_Read]) -> _Read | None:
        document = self._documents[name] = self._store.read(f"{self.path}/{name}")
        if document is None:
            return None
        try:
            return msgspec.json.decode(document.content, type=type_)
        except msgspec.DecodeError as error:
            raise HeadgateError(f"{self._store.name}: {self.path}/{name}: {error}") from None

    def _write(self, name: str, value: object) -> None:
        content = msgspec.json.encode(value)
        self._documents[name] = self._store.write(f"{self.path}/{name}", content, self._documents.get(name))
