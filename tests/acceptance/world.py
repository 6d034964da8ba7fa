"""What the acceptance tests share: the values, and a client that speaks as Segment's SDKs do."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import read_back
from demo.embedded_aws import Credentials, EmbeddedAws
from demo.processes import Child
from demo.stack import StreamStackOutputs
from demo.story import OWNER, REGION, TRUSTED

WRITE_KEY = "wk_acceptance"
PUT = ("kinesis:PutRecord", "kinesis:PutRecords")

Serve = Callable[[str], AbstractContextManager[tuple[str, Child]]]


@dataclass(frozen=True)
class World:
    """All that the tests share: an AWS with the app's stack, a forwarder's user, a reader's user."""

    aws: EmbeddedAws
    outputs: StreamStackOutputs
    caller: Credentials
    reader: Credentials
    directory: Path

    @property
    def owner_iam(self) -> Any:
        """IAM of the account that the streams are in."""
        return self.aws.client("iam", self.aws.root(OWNER))

    @property
    def caller_environment(self) -> dict[str, str]:
        return self.aws.environment(self.caller, REGION)

    @property
    def reader_environment(self) -> dict[str, str]:
        return self.aws.environment(self.reader, REGION)

    def records_of(self, stream_name: str, log: Path) -> list[dict[str, Any]]:
        """Read all of a stream with the real `headgate tail`."""
        return read_back.tail(stream_name, REGION, environment=self.reader_environment, log=log)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


def post(url: str, path: str, body: Any, *, write_key: str = WRITE_KEY) -> Answer:
    """Send one request as a Segment SDK would; `body` is bytes, or becomes JSON."""
    request = urllib.request.Request(
        url + path,
        data=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{write_key}:".encode()).decode(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, json.load(error))


def make_role(world: World, name: str, *, external_id: str, actions: Sequence[str] = PUT) -> str:
    """Make a role that may put into any stream of the owner's account; return its Role Address."""
    role = world.owner_iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(external_id))["Role"]
    allow(world, name, actions)
    return str(role["Arn"])


def allow(world: World, name: str, actions: Sequence[str]) -> None:
    """Give a role of the owner's account a policy with these actions, in place of the one that it has."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.owner_iam.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=document)


def trust(external_id: str) -> str:
    """Return a trust policy for the forwarder's account under an External ID."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{TRUSTED}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
