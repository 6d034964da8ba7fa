"""One TOML file per environment, and the typed value that it is read into.

`-c env=NAME` chooses `NAME.toml`. docs/environments.md describes each key; `environment.schema.json` lets an
editor complete and check the files.
"""

from environments.loader import load
from environments.model import Environment

__all__ = ["Environment", "load"]
