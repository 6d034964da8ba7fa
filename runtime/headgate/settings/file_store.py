"""Settings from a file: `sources.toml`."""

from pathlib import Path

from headgate.errors import SettingsError
from headgate.settings.schema import Source, Sources
from headgate.settings.strict_toml import decode


def read_sources(path: Path) -> dict[str, Source]:
    """Return the source of every write key in the file at `path`.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or breaks the schema; one line that names the
            file, the source and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not valid TOML: it is not UTF-8 text") from None
    except OSError as error:
        raise SettingsError(
            f"{path}: {(error.strerror or str(error)).lower()}; give the path of a TOML file to --sources"
        ) from None
    sources = decode(text, Sources, where=str(path))
    return {key: source for source in sources.sources for key in source.write_keys}
