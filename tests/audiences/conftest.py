"""One DuckDB for the tests of a file, and S3: moto as a server, and a bucket for each test."""

import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.session import Session

from headgate.audiences.bucket import Bucket
from headgate.audiences.db import connect
from tests.aws_surroundings import moto_server, surround

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

REGION = "eu-central-1"
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class S3:
    """A bucket, the session of whoever uses it, and a client to look behind their back."""

    name: str
    session: Session
    client: Any

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.session, self.name)

    def put(self, key: str, content: bytes = b"") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in found]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DuckDBPyConnection]":
    """Each test replaces what the one before left in it."""
    with closing(connect(tmp_path_factory.mktemp("scratch"), threads=1)) as connected:
        yield connected


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def service(moto_url: str) -> tuple[Session, Any]:
    """A session and a client for all: to make one takes longer than most of what is done with it."""
    with pytest.MonkeyPatch.context() as patch:
        surround(patch, REGION, AWS_ENDPOINT_URL_S3=moto_url)
        session = botocore.session.get_session()
        session.get_credentials()
        return session, boto3.client("s3", region_name=REGION)


@pytest.fixture
def s3(service: tuple[Session, Any], moto_url: str, monkeypatch: pytest.MonkeyPatch) -> S3:
    surround(monkeypatch, REGION, AWS_ENDPOINT_URL_S3=moto_url)
    session, client = service
    name = f"bucket-{os.getpid()}-{next(_NUMBERS)}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3(name, session, client)
