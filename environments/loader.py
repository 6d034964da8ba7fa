"""Find and read the file of the environment that was chosen."""

from pathlib import Path

from environments.model import Environment
from headgate.errors import SettingsError
from headgate.settings.strict_toml import decode

DIRECTORY = Path(__file__).parent


def load(name: str | None, directory: Path = DIRECTORY) -> Environment:
    """Return the environment called `name`.

    Args:
        name: the file's name without `.toml`; None when the user chose none.
        directory: where the files are.

    Raises:
        SettingsError: there is no such environment, or its file holds something that it must not.
    """
    names = sorted(path.stem for path in directory.glob("*.toml"))
    valid = f"valid: {', '.join(names)}" if names else f"there is no .toml file in {directory}"
    if not name:
        raise SettingsError(f"no environment is chosen; choose one with -c env=NAME ({valid})")
    if name not in names:
        raise SettingsError(f"env: unknown environment {name!r} ({valid})")
    path = directory / f"{name}.toml"
    return decode(path.read_text(encoding="utf-8"), Environment, where=f"environment {name} ({path.name})")
