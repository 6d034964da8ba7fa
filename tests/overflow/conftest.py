"""Two emulators of SQS per session, and for each test a proxy and queues of its own."""

import itertools
import os
from collections.abc import Iterator

import botocore.session
import pytest

from demo.embedded_aws import embedded_aws
from tests.aws_surroundings import moto_server, surround
from tests.overflow.sqs import KEYS, REGION, Proxy, Sqs, client_of, proxied

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


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
    keys = {variable.upper(): value for variable, value in KEYS.items()}
    surround(monkeypatch, REGION, AWS_ENDPOINT_URL=proxy.url, **keys)
    return Sqs(proxy, client_of(proxy.backend), botocore.session.get_session())
