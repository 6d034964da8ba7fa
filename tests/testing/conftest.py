"""A fake that serves, and a connection to it."""

from collections.abc import Iterator

import pytest

from headgate.testing import FakeKinesis
from tests.testing.asking import Connection


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 4}) as kinesis:
        yield kinesis


@pytest.fixture
def connection(kinesis: FakeKinesis) -> Iterator[Connection]:
    connection = Connection(kinesis)
    yield connection
    connection.close()
