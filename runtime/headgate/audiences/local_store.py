"""Audiences kept in a directory of this machine. The kernel keeps its locks: a death frees them at once."""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from headgate.audiences import holder
from headgate.audiences.store import Document
from headgate.errors import BusyError, HeadgateError

_NEW = ".new"
_SCRATCH = "scratch"


class LocalStore:
    """A directory; it is made when it is first written to. Nobody but its owner may read what it holds."""

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root

    def read(self, path: str) -> Document | None:
        """Return a document; None where there is none."""
        with _faults():
            try:
                return Document((self._root / path).read_bytes())
            except FileNotFoundError:
                return None

    def write(self, path: str, content: bytes, replacing: Document | None) -> Document:
        """Write a document; see `Store`. The audience's lock makes the look and the write one step."""
        with _faults():
            if self.read(path) != replacing:
                raise BusyError(f"{self._root / path}: another process has written or removed it")
            file = self._folder_of(path)
            beside = file.with_name(file.name + _NEW)
            with _private(beside) as descriptor:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            beside.replace(file)
            _sync(file.parent)
            return Document(content)

    def keep(self, path: str, file: Path) -> None:
        """Keep a copy of a file."""
        with _faults():
            kept = self._folder_of(path)
            beside = kept.with_name(kept.name + _NEW)
            with _private(beside) as descriptor, file.open("rb") as source:
                with open(descriptor, "wb", closefd=False) as to:
                    shutil.copyfileobj(source, to, 1024 * 1024)
                os.fsync(descriptor)
            beside.replace(kept)
            _sync(kept.parent)

    def fetch(self, path: str, scratch: Path) -> Path:
        """Return the file itself."""
        del scratch
        file = self._root / path
        if not file.is_file():
            raise HeadgateError(f"{file}: there is no such file, though the audience's state names it")
        return file

    def remove(self, paths: Iterable[str]) -> None:
        """Remove documents and files."""
        with _faults():
            for path in paths:
                (self._root / path).unlink(missing_ok=True)

    def paths(self, under: str) -> list[str]:
        """Return the paths in a folder and its folders, without what is only half there."""
        with _faults():
            files = [each for each in (self._root / under).rglob("*") if each.is_file()]
            found = [each.relative_to(self._root) for each in files if each.suffix != _NEW]
            return sorted(str(each) for each in found if _SCRATCH not in each.parts)

    @contextmanager
    def lock(self, path: str, what: str) -> Iterator["FileLock"]:
        """Lock a file of its own that is never removed: two processes that lock one path lock one file."""
        with _faults():
            descriptor = os.open(self._folder_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _faults():
                _take(descriptor, what)
            yield FileLock()
        finally:
            os.close(descriptor)

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Path]:
        """Give a directory beside what is kept, where there is room; a killed process's files go."""
        directory = self._root / folder / _SCRATCH
        shutil.rmtree(directory, ignore_errors=True)
        with _faults():
            directory.mkdir(mode=0o700, parents=True)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _folder_of(self, path: str) -> Path:
        """Return the file of a path, in a folder that is there."""
        file = self._root / path
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return file


class FileLock:
    """A lock that the kernel keeps as long as this process lives."""

    def check(self) -> None:
        """Do nothing: nobody can take it away."""


def _take(descriptor: int, what: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(holder.told(what, holder.read(os.pread(descriptor, 4096, 0)))) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, msgspec.json.encode(holder.this_process()), 0)


@contextmanager
def _private(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _faults() -> Iterator[None]:
    """Turn what the file system says into one line that names the file."""
    try:
        yield
    except OSError as fault:
        raise HeadgateError(f"{fault.filename}: {(fault.strerror or str(fault)).lower()}") from None
