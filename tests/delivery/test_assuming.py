"""AssumeRole as the fake is asked it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from headgate.delivery.assuming import assume_role
from headgate.testing import FakeKinesis
from tests.testing.asking import boto3_client

ROLE = "arn:aws:iam::111122223333:role/writer"


@pytest.mark.parametrize("external_id", ["the-external-id", None])
def test_the_external_id_is_sent_where_there_is_one(external_id: str | None) -> None:
    with FakeKinesis() as kinesis:
        sts: Any = boto3_client(kinesis, "sts")
        credentials, ends = assume_role(sts, ROLE, external_id)
        [given] = kinesis.identities.given
    assert (given.external_id, given.session_name) == (external_id, "headgate")
    assert (credentials.access_key, credentials.token) == (given.access_key, given.session_token)
    assert ends == pytest.approx(given.expires_at, abs=1)


def test_a_refusal_is_passed_on() -> None:
    with FakeKinesis() as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=["another"])
        sts: Any = boto3_client(kinesis, "sts")
        with pytest.raises(ClientError, match="AccessDenied"):
            assume_role(sts, ROLE, "the-external-id")
