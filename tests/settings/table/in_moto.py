"""A table of settings in moto, which is DynamoDB, KMS and STS here, and what tests do with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws

from demo.settings_table import make_table
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.editing import assignment, edited
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.store import TableStore
from headgate.settings.table.stored import StoredSource, sealed
from headgate.settings.table.transactions import Change
from headgate.settings.table.writer import Writer
from tests.aws_surroundings import surround

REGION, NAME = "eu-central-1", "headgate-settings"
ROLE = "arn:aws:iam::123456789012:role/writer"
WHO = "arn:aws:sts::123456789012:assumed-role/operator/me"


class OneAtATime(SettingsTable):
    """DynamoDB's transactions are serial; those of moto's threads are not."""

    _turn = threading.Lock()

    def write(self, steps: Any) -> None:
        with self._turn:
            super().write(steps)


class World:
    """The table, and what a test asks of it."""

    def __init__(self) -> None:
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.kms = boto3.client("kms", region_name=REGION)
        self.key_arn: str = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.session = botocore.session.get_session()
        self.table = OneAtATime(self.session, NAME)
        self.sealing = Sealing(self.session, REGION, about="kms")

    def begin(self) -> None:
        """Make the table, or make it anew."""
        if NAME in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=NAME)
        make_table(self.dynamodb, self.key_arn, NAME)

    def store(self) -> TableStore:
        return TableStore(self.session, NAME)

    def writer(self) -> Writer:
        return Writer(table=self.table, who=WHO, sleep=lambda _: None)

    def sealed(self, source: StoredSource) -> StoredSource:
        return sealed(source, self.sealing.encrypting(lambda: self.key_arn))

    def set(self, source_id: str, *fields: str, **options: Any) -> None:
        """Change a source as `headgate settings set` does."""
        before = self.table.source(source_id)
        was = before.source if before is not None else None
        after = edited(source_id, was, list(map(assignment, fields)), **options)
        self.writer().write([Change(before, self.sealed(after))])

    def remove(self, source_id: str) -> None:
        self.writer().write([Change(self.table.source(source_id), None)])

    def dump(self) -> str:
        """Return all that is in the table."""
        return str(self.dynamodb.scan(TableName=NAME)["Items"])


@contextmanager
def world_in_moto() -> Iterator[World]:
    """Make a world, in surroundings from which no other AWS can be reached."""
    with pytest.MonkeyPatch.context() as patch:
        surround(patch, REGION)
        with mock_aws():
            yield World()


def calls_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the operations that are called from now on, as they come."""
    from headgate.settings.aws_service import AwsService

    called: list[str] = []
    call = AwsService.call

    def noted(self: AwsService, operation: str, **members: Any) -> dict[str, Any]:
        called.append(operation)
        return call(self, operation, **members)

    monkeypatch.setattr(AwsService, "call", noted)
    return called


def ids(sources: dict[str, Any]) -> list[str]:
    """Return the IDs of sources by write key."""
    return sorted({source.id for source in sources.values()})
