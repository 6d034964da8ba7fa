"""Audiences kept in an S3 bucket, where documents replace each other by conditional puts."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath

from botocore.session import Session

from headgate.audiences.bucket import SCHEME, Bucket, ConditionFailed, split_location
from headgate.audiences.s3_lock import S3Lock, locked
from headgate.audiences.store import Document
from headgate.errors import BusyError


class S3Store:
    """A prefix of a bucket.

    Raises:
        UsageError: the location names no bucket.
        AwsError: there are no credentials.
    """

    def __init__(self, session: Session, location: str) -> None:
        self.name = location
        bucket, prefix = split_location(location, "--state")
        self._bucket = Bucket(session, bucket)
        self._prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"

    def read(self, path: str) -> Document | None:
        """Return a document; None where there is none."""
        found = self._bucket.get(self._prefix + path)
        return Document(found.content, found.etag) if found is not None else None

    def write(self, path: str, content: bytes, replacing: Document | None) -> Document:
        """Write a document; see `Store`."""
        etag = replacing.etag if replacing is not None else None
        try:
            return Document(content, self._bucket.put(self._prefix + path, content, etag))
        except ConditionFailed:
            at = f"{SCHEME}{self._bucket.name}/{self._prefix}{path}"
            raise BusyError(f"{at}: another process has written it, so it has taken over the sync") from None

    def keep(self, path: str, file: Path) -> None:
        """Keep a copy of a file."""
        self._bucket.upload(self._prefix + path, file)

    def fetch(self, path: str, scratch: Path) -> Path:
        """Return a copy of the file; one that is in `scratch` already will do: files never change."""
        to = scratch / PurePosixPath(path).name
        if not to.exists():
            self._bucket.download(self._prefix + path, to)
        return to

    def remove(self, paths: Iterable[str]) -> None:
        """Remove documents and files."""
        self._bucket.delete(self._prefix + path for path in paths)

    def paths(self, under: str) -> list[str]:
        """Return the paths in a folder and its folders."""
        prefix = self._prefix + (f"{under}/" if under else "")
        return [key.removeprefix(self._prefix) for key in self._bucket.keys(prefix)]

    def lock(self, path: str, what: str) -> AbstractContextManager[S3Lock]:
        """Lock an object; see `s3_lock`."""
        return locked(self._bucket, self._prefix + path, what)

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Path]:
        """Give a temporary directory of this machine (`TMPDIR`)."""
        del folder
        with tempfile.TemporaryDirectory(prefix="headgate-") as directory:
            yield Path(directory)
