"""The table of tests/policies on a running system: the same templates, deployed, and IAM asked by real calls.

Left to the policy engine alone is what the embedded AWS cannot judge: SimulatePrincipalPolicy, which it
refuses to a role even about itself; KMS, which it does not ask on a write; and a caller's VPC endpoint or
address, which are always its own loopback.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.embedded_aws import Credentials, EmbeddedAws
from demo.stack import StreamStackOutputs, deploy
from tests.acceptance.world import World
from tests.policies.engine import ALLOWED
from tests.policies.table import OTHER_ACCOUNT, OWNER, SECRETS, TABLE, Row, deployed, described

REGION = "us-west-2"
CALLS: dict[str, Callable[[Any, str], object]] = {
    "kinesis:PutRecord": lambda kinesis, name: kinesis.put_record(
        StreamName=name, Data=b"{}", PartitionKey="k"
    ),
    "kinesis:PutRecords": lambda kinesis, name: kinesis.put_records(
        StreamName=name, Records=[{"Data": b"{}", "PartitionKey": "k"}]
    ),
    "kinesis:ListShards": lambda kinesis, name: kinesis.list_shards(StreamName=name),
    "kinesis:DescribeStreamSummary": lambda kinesis, name: kinesis.describe_stream_summary(StreamName=name),
}
# A name is looked up in the caller's account, so another account's stream cannot be asked for.
ROWS = [
    row
    for row in TABLE
    if row.action == "sts:AssumeRole"
    or (row.action in CALLS and row.where != "forwarder" and row.resource != OTHER_ACCOUNT)
]


@dataclass(frozen=True, eq=False)
class Table:
    """The stacks of the table, deployed."""

    aws: EmbeddedAws
    stacks: dict[str, StreamStackOutputs]

    @cache  # noqa: B019 - as long as the session
    def caller(self, arn: str) -> Credentials:
        """Make the role or user of that ARN, which may assume every role, and become it."""
        account, (kind, name) = arn.split(":")[4], arn.split(":")[5].split("/")
        if kind == "user":
            return self.aws.user(account, name, action="sts:AssumeRole", resource="*")
        root = self.aws.root(account)
        iam = self.aws.client("iam", root)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(Principal={"AWS": account}))
        iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=document(Resource="*"))
        return self.assume(root, arn)

    def assume(self, caller: Credentials, role: str, external_id: str | None = None) -> Credentials:
        sent = {} if external_id is None else {"ExternalId": external_id}
        sts = self.aws.client("sts", caller, REGION)
        got = sts.assume_role(RoleArn=role, RoleSessionName="table", **sent)["Credentials"]
        return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    @cache  # noqa: B019 - as long as the session
    def writer(self, where: str) -> Credentials:
        """The stack's role, assumed as the first row says that it may be."""
        row = next(row for row in TABLE if row.where == where and row.caller and row.verdict == ALLOWED)
        return self.assume(self.caller(row.caller), self.stacks[where].role_address, row.external_id)

    def call(self, row: Row) -> Callable[[], object]:
        """The row's one call, with all that it takes made before, so that only the call can be refused."""
        outputs = self.stacks[row.where]
        if row.action == "sts:AssumeRole":
            caller = self.caller(row.caller)
            return lambda: self.assume(caller, outputs.role_address, row.external_id)
        own = f"arn:aws:kinesis:{REGION}:{OWNER}:stream/{outputs.stream_name}"
        region, name = row.resource.format(stream=own).split(":")[3::2]
        name = name.removeprefix("stream/")
        owners = self.aws.client("kinesis", self.aws.root(OWNER), region)
        if name not in owners.list_streams()["StreamNames"]:
            owners.create_stream(StreamName=name, ShardCount=1)
        kinesis = self.aws.client("kinesis", self.writer(row.where), region)
        return lambda: CALLS[row.action](kinesis, name)


def document(**statement: Any) -> str:
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


@pytest.fixture(scope="session")
def table(world: World, tmp_path_factory: pytest.TempPathFactory) -> Table:
    directory = tmp_path_factory.mktemp("table")
    secrets = world.aws.client("secretsmanager", world.aws.root(OWNER), REGION)
    for reference, text in SECRETS.items():
        name, _, field, *_ = reference.split(":")
        secrets.create_secret(Name=name, SecretString=json.dumps({field: text}) if field else text)

    def deployed_stack(where: str) -> StreamStackOutputs:
        template = directory / f"table-{where}.template.json"
        template.write_text(json.dumps(deployed(where).template), encoding="utf-8")
        return deploy(world.aws, OWNER, REGION, template)

    return Table(world.aws, {where: deployed_stack(where) for where in {row.where for row in ROWS}})


@pytest.mark.parametrize("row", ROWS, ids=described)
def test_the_running_system_answers_as_the_table_says(table: Table, row: Row) -> None:
    call = table.call(row)
    if row.verdict == ALLOWED:
        call()
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
