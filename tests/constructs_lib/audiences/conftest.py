"""One synth for all tests that look at audiences beside a forwarder."""

import pytest

from tests.constructs_lib.audiences.scene import Beside


@pytest.fixture(scope="session")
def beside() -> Beside:
    """A runner beside a forwarder, with an audience and a trait."""
    return Beside()
