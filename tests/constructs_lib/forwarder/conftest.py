"""One synth for all tests that look at a forwarder of defaults."""

import pytest

from tests.constructs_lib.forwarder.scene import Scene


@pytest.fixture(scope="session")
def plain() -> Scene:
    """A forwarder with the least that it takes."""
    return Scene()
