"""Settings from a file: `sources.toml`."""

from functools import partial
from pathlib import Path

from headgate.errors import SettingsError
from headgate.settings.schema import Source, read_toml
from headgate.settings.store import Stamp, Version

INTERVAL_SECONDS = 1.0

_MISSING = "missing"


class FileStore:
    """The file at a path. That it is missing makes its content invalid, as all that only its owner mends."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.interval = INTERVAL_SECONDS
        self._path = path

    def latest(self) -> Version:
        """Return what the file holds when its sources are asked for, under a stamp from before."""
        return Version(_stamp_of(self._path), partial(read_sources, self._path))


def read_sources(path: Path) -> dict[str, Source]:
    """Return the source of every write key in the file at `path`.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or breaks the schema; one line that names the
            file, the source and what is allowed.
    """
    return read_toml(text_of(path, "; give the path of a TOML file to --sources"), where=str(path))


def text_of(path: Path, fix: str = "") -> str:
    """Return the text of a file.

    Args:
        path: where it is.
        fix: what the error is to end with.

    Raises:
        SettingsError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not valid TOML: it is not UTF-8 text") from None
    except OSError as error:
        raise SettingsError(f"{path}: {(error.strerror or str(error)).lower()}{fix}") from None


def _stamp_of(path: Path) -> Stamp:
    """Return what changes when the file is written or replaced."""
    try:
        status = path.stat()
    except OSError:
        return _MISSING
    return status.st_mtime_ns, status.st_size, status.st_ino
