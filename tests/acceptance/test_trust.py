"""The deployed role, as IAM enforces it: who may assume it, and what it may do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.embedded_aws import Credentials
from demo.story import OWNER, REGION, SOURCE_ID
from tests.acceptance.world import World


def assume(world: World, caller: Credentials, **arguments: str) -> Credentials:
    sts = world.aws.client("sts", caller, REGION)
    answer = sts.assume_role(RoleArn=world.outputs.role_address, RoleSessionName="test", **arguments)
    temporary = answer["Credentials"]
    return Credentials(temporary["AccessKeyId"], temporary["SecretAccessKey"], temporary["SessionToken"])


@pytest.mark.parametrize("arguments", [{}, {"ExternalId": "another"}, {"ExternalId": SOURCE_ID.lower()}])
def test_without_its_external_id_the_role_is_refused(world: World, arguments: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(world, world.caller, **arguments)


def test_an_account_that_is_not_trusted_is_refused_whatever_it_sends(world: World) -> None:
    stranger = world.aws.user("777788889999", "stranger", action="sts:AssumeRole", resource="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(world, stranger, ExternalId=SOURCE_ID)


def test_the_role_may_put_into_its_stream_and_do_nothing_else(world: World) -> None:
    role = assume(world, world.caller, ExternalId=SOURCE_ID)
    kinesis = world.aws.client("kinesis", role, REGION)
    owners = world.aws.client("kinesis", world.aws.root(OWNER), REGION)
    owners.create_stream(StreamName="another-stream", ShardCount=1)
    records: list[dict[str, Any]] = [{"Data": b'{"type":"trust"}', "PartitionKey": "k"}]
    assert (
        kinesis.put_records(StreamName=world.outputs.stream_name, Records=records)["FailedRecordCount"] == 0
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        kinesis.put_records(StreamName="another-stream", Records=records)
    with pytest.raises(ClientError, match="AccessDenied"):
        kinesis.list_shards(StreamName=world.outputs.stream_name)
    with pytest.raises(ClientError, match="AccessDenied"):
        world.aws.client("iam", role).list_roles()
