"""Every measurement can begin: what it imports is there."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(path.parent.name for path in ROOT.glob("bench/*/__main__.py"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_measurement_imports_what_there_is(name: str) -> None:
    module = import_module(f"bench.{name}.__main__")
    assert module.__doc__
