"""Dead letters in a file, for laptops: JSON lines that several processes append to, and one takes from.

Whoever writes holds a lock on the file, so a line is whole unless its writer was killed in the middle. Such a
torn line ends with the next writer's newline, is read as no letter, and stays where it is.
"""

import fcntl
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.dead_letters import DeadLetter
from headgate.threads import in_thread

log = logging.getLogger(__name__)

_decode = msgspec.json.Decoder(DeadLetter).decode


class FileDeadLetters:
    """Dead letters in a file; safe once it was synchronised with the disk."""

    def __init__(self, path: Path, metrics: Metrics | None = None) -> None:
        self._path = path
        self._count = (metrics or Metrics()).counter(names.DEAD_LETTERS)

    async def put(self, letters: Sequence[DeadLetter]) -> bool:
        """Keep letters; return whether all of them are safe."""
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in letters)
        try:
            await in_thread(partial(_append, self._path, lines))
        except OSError as fault:
            log.error(
                "dead letters cannot be written",
                extra={"path": str(self._path), "reason": (fault.strerror or str(fault)).lower()},
            )
            return False
        self._count.value += len(letters)
        return True


def read(path: Path) -> tuple[list[tuple[bytes, DeadLetter]], list[bytes]]:
    """Return the letters of a file, each with its line, and the lines that are none.

    Raises:
        OSError: the file cannot be read.
    """
    letters, torn = [], []
    for line in filter(None, path.read_bytes().split(b"\n")):
        try:
            letters.append((line, _decode(line)))
        except msgspec.DecodeError:
            torn.append(line)
    return letters, torn


def take_out(path: Path, lines: Sequence[bytes]) -> None:
    """Take lines out of a file at once: all else in it, and what was appended meanwhile, stays.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    gone = Counter(lines)
    with _locked(path) as descriptor:
        kept = []
        with open(descriptor, "rb", closefd=False) as file:
            for line in filter(None, file.read().split(b"\n")):
                if gone[line]:
                    gone[line] -= 1
                else:
                    kept.append(line + b"\n")
        beside = path.with_name(f"{path.name}.new")
        beside.touch(0o600)
        with beside.open("wb") as file:
            file.write(b"".join(kept))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_directory(path)


def _append(path: Path, lines: bytes) -> None:
    with _locked(path) as descriptor:
        end = os.fstat(descriptor).st_size
        if end and os.pread(descriptor, 1, end - 1) != b"\n":
            lines = b"\n" + lines
        if os.write(descriptor, lines) < len(lines):
            os.ftruncate(descriptor, end)
            raise OSError(None, "the disk is full")
        os.fsync(descriptor)
        if not end:
            _sync_directory(path)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Give the file, locked; it is made where there is none."""
    while True:
        # Its letters hold events: nobody else's business.
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Whether the path still leads to the file, which may have been replaced before it was locked."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sync_directory(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
