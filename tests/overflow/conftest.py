"""Two emulators of SQS per session, and for each test a proxy and queues of its own."""

import itertools
import os
from collections.abc import Iterator

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from demo.embedded_aws import embedded_aws
from tests.overflow.sqs import KEYS, REGION, Proxy, Sqs, client_of, proxied

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_aws(tmp_path_factory.mktemp("ministack")) as aws:
        yield aws.endpoint_url


@pytest.fixture(params=["moto", "ministack"])
def sqs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sqs]:
    """SQS as one emulator and then the other speak it; AWS tools of this process meet its proxy."""
    with proxied(request.getfixturevalue(request.param)) as proxy:
        yield _behind(proxy, monkeypatch)


@pytest.fixture
def one_sqs(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sqs]:
    """The same with one emulator, where the protocol is not what is tested."""
    with proxied(moto) as proxy:
        yield _behind(proxy, monkeypatch)


@pytest.fixture
def name() -> str:
    """A queue's name that no other test uses."""
    return f"queue-{os.getpid()}-{next(_NUMBERS)}"


def _behind(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Sqs:
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    surroundings = {
        "AWS_ENDPOINT_URL": proxy.url,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    } | {variable.upper(): value for variable, value in KEYS.items()}
    for variable, value in surroundings.items():
        monkeypatch.setenv(variable, value)
    return Sqs(proxy, client_of(proxy.backend), botocore.session.get_session())
