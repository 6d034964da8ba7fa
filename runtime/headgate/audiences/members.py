"""The files that say who is in an audience: found on this machine, or fetched from S3."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from botocore.session import Session

from headgate.audiences.bucket import SCHEME, Bucket, split_location
from headgate.errors import UsageError

_PATTERN = re.compile(r"[*?\[]")


class Members:
    """Files, by their locations.

    Args:
        session: for what lies in S3.
        locations: paths of files or directories, patterns of paths, `s3://BUCKET/KEY`,
            `s3://BUCKET/PREFIX/` for every object under it, or a pattern of keys.
        option: the option that they come from, for messages.
    """

    def __init__(self, session: Session, locations: Sequence[str], option: str) -> None:
        self._session = session
        self._locations = locations
        self._option = option

    def files(self, scratch: Path) -> dict[Path, str]:
        """Return the files, each with its location for messages; those of S3 are copies in `scratch`.

        Raises:
            UsageError: a location names no file.
            AwsError: S3 refused, or could not be reached.
        """
        found: dict[Path, str] = {}
        for location in self._locations:
            before = len(found)
            if location.startswith(SCHEME):
                found |= self._fetched(location, scratch)
            else:
                found |= {each: str(each) for each in _local(Path(location))}
            if len(found) == before:
                raise UsageError(f"{self._option}: there is no file {location!r}")
        return found

    def _fetched(self, location: str, scratch: Path) -> dict[Path, str]:
        name, key = split_location(location, self._option)
        bucket = Bucket(self._session, name)
        found = {}
        for each in _keys(bucket, key):
            directory = scratch / f"{len(list(scratch.iterdir()))}"
            directory.mkdir()
            to = directory / PurePosixPath(each).name
            bucket.download(each, to)
            found[to] = f"{SCHEME}{name}/{each}"
        return found


def _local(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.is_file() and _counts(each.name))
    if path.exists() or not _PATTERN.search(str(path)):
        return [path] if path.is_file() else []
    root = Path(path.anchor)
    return sorted(each for each in root.glob(str(path.relative_to(path.anchor))) if each.is_file())


def _keys(bucket: Bucket, key: str) -> Iterator[str]:
    pattern = _PATTERN.search(key)
    if pattern is not None:
        yield from (each for each in bucket.keys(key[: pattern.start()]) if fnmatchcase(each, key))
    elif not key or key.endswith("/"):
        yield from (each for each in bucket.keys(key) if _counts(each.removeprefix(key)))
    else:
        yield key


def _counts(name: str) -> bool:
    """Return whether a file of a directory counts: not what Spark and others put beside their data."""
    parts = name.split("/")
    return bool(parts[-1]) and not any(each.startswith(("_", ".")) for each in parts)
