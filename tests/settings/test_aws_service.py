import os
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from headgate.errors import AwsError
from headgate.settings.aws_service import AwsService, Refused


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> AwsService:
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    return AwsService(botocore.session.get_session(), "dynamodb", region="us-west-2", about="the table")


def test_a_forked_process_makes_a_client_of_its_own(
    service: AwsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    class Client:
        def list_tables(self) -> dict[str, Any]:
            return {"by": self}

    def client(*_: object, **__: object) -> Client:
        made.append(Client())
        return Client()

    monkeypatch.setattr("headgate.settings.aws_service.client", client)
    first = service.call("list_tables")
    assert service.call("list_tables") == first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert service.call("list_tables") != first
    assert len(made) == 2


def test_what_aws_refuses_is_one_line_with_its_code(service: AwsService) -> None:
    with mock_aws(), pytest.raises(Refused) as refused:
        service.call("describe_table", TableName="nowhere")
    assert refused.value.code == "ResourceNotFoundException"
    assert str(refused.value).startswith("the table: ResourceNotFoundException: ")


def test_what_botocore_refuses_is_one_line_too(service: AwsService) -> None:
    with pytest.raises(AwsError, match=r"the table: Value .* is the wrong type"):
        service.call("describe_table", TableName=1)
