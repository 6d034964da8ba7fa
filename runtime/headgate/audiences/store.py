"""Where audiences are kept between syncs: documents that replace each other, and files that never change."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read or written."""

    content: bytes
    etag: str = ""
    """What S3 calls this content; empty in a directory."""


class Lock(Protocol):
    """The right to sync one audience, held by one process at a time."""

    def check(self) -> None:
        """Do nothing while it is held.

        Raises:
            BusyError: another may hold it by now.
        """


class Store(Protocol):
    """A directory, or a prefix of an S3 bucket. Every call may block, and raises AwsError or HeadgateError.

    Paths have slashes and no leading one. A file's path is used once, so that a process which has lost its
    lock can spoil nothing: it can only add files that nobody reads, and a document names those that count.
    """

    name: str
    """As messages call it."""

    def read(self, path: str) -> Document | None:
        """Return a document; None where there is none."""

    def write(self, path: str, content: bytes, replacing: Document | None) -> Document:
        """Write a document durably, in one step: it is the old one or the new one whatever happens.

        Raises:
            BusyError: what is there is not `replacing`, so another process has written.
        """

    def keep(self, path: str, file: Path) -> None:
        """Keep a copy of a file durably."""

    def fetch(self, path: str, scratch: Path) -> Path:
        """Return the path of a file on this machine, which may be in `scratch`. It is not to be written."""

    def remove(self, paths: Iterable[str]) -> None:
        """Remove documents and files; what is gone already is no fault."""

    def paths(self, under: str) -> list[str]:
        """Return the paths of all documents and files in a folder and its folders, in their order."""

    def lock(self, path: str, what: str) -> AbstractContextManager[Lock]:
        """Lock a path for as long as the context lasts; the death of the process frees it sooner or later.

        Args:
            path: where the lock is.
            what: what is locked, for messages.

        Raises:
            BusyError: another holds it; one line that names the holder.
        """

    def scratch(self, folder: str) -> AbstractContextManager[Path]:
        """Give a directory for files that nobody misses; only who holds the folder's lock may ask for it."""
