"""What AWS tools of a test's process find around them, and an AWS of moto over HTTP."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def surround(patch: pytest.MonkeyPatch, region: str, **more: str) -> None:
    """Leave AWS tools nothing of this machine: a region, keys, and more variables; no file and no profile."""
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        patch.delenv(variable)
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    for variable, value in (nothing | KEYS | {"AWS_REGION": region} | more).items():
        patch.setenv(variable, value)


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server for as long as the block lasts; give its URL. All of a process have one memory."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()
