"""A fake Kinesis for the tests of a file, empty at the beginning of each."""

from collections.abc import Iterator

import pytest

from headgate.testing import FakeKinesis
from tests.console.letters.letters import STREAMS


@pytest.fixture(scope="module")
def shared_kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams=STREAMS) as kinesis:
        yield kinesis


@pytest.fixture
def kinesis(shared_kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch) -> FakeKinesis:
    shared_kinesis.reset()
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in shared_kinesis.environment().items():
        monkeypatch.setenv(name, value)
    return shared_kinesis
