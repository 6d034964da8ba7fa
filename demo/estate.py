"""What the forwarder works with, made on the embedded AWS: streams, roles, settings, dead letters."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from demo.embedded_aws import Credentials, EmbeddedAws
from demo.forwarder import HEADGATE
from demo.policies import Estate, for_ministack, forwarder_policy, operator_policy, reader_policy
from demo.processes import run
from demo.settings_table import make_table, sources_toml
from demo.stack import StreamStackOutputs, deploy
from demo.traffic import website
from headgate.overflow.dead_letters import EXPIRED, letter, pack
from headgate.overflow.origin import Origin

REGION = "us-west-2"
ACCOUNT = "111122223333"
WEBSITE, APP = "8kf3Qw2LpZ", "Vd5hJ1sKaE"
"""The source IDs."""
EVENTS, OTHER_EVENTS, ORDERS = "headgate-demo-events", "headgate-demo-events-2", "headgate-demo-orders"
"""The streams: the website's, one that its role may write to as well, and the app's."""
TABLE, DEAD_LETTERS = "headgate-demo-settings", "headgate-demo-dead-letters"
OLD_LETTERS = 12
_MESSAGE_BYTES = 256 * 1024


@dataclass(frozen=True)
class MadeEstate:
    """An estate, who may do what in it, and the secrets of its clients."""

    aws: EmbeddedAws
    arns: Estate
    outputs: StreamStackOutputs
    queue_url: str
    forwarder: Credentials
    operator: Credentials
    reader: Credentials
    """Of somebody who may look at all of it in the console, and change nothing."""
    write_keys: dict[str, str]
    """By source ID."""

    @property
    def sources(self) -> str:
        """What `--sources` takes."""
        return f"dynamodb://{TABLE}"

    @property
    def operator_environment(self) -> dict[str, str]:
        """Environment variables under which a command runs as the operator."""
        return self.aws.environment(self.operator, REGION)

    @property
    def forwarder_environment(self) -> dict[str, str]:
        """Those under which one runs as the forwarder."""
        return self.aws.environment(self.forwarder, REGION)

    def owner(self, service: str) -> Any:
        """Return a boto3 client of the account's root."""
        return self.aws.client(service, self.aws.root(ACCOUNT), REGION)


def stream_arn(name: str) -> str:
    """Return the ARN of a stream of the estate's account."""
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def make_estate(aws: EmbeddedAws, template: Path, directory: Path) -> MadeEstate:
    """Deploy the StreamStack, make all else, and import the settings as the operator.

    Args:
        aws: where.
        template: the StreamStack's; its stream is `EVENTS`, and its role may write to `OTHER_EVENTS` too.
        directory: an existing one for files and logs.

    Raises:
        DemoError: a part of it failed.
    """
    root = aws.root(ACCOUNT)
    kinesis, iam = aws.client("kinesis", root, REGION), aws.client("iam", root)
    with ThreadPoolExecutor(1) as beside:
        deploying = beside.submit(deploy, aws, ACCOUNT, REGION, template)
        for name, shards in ((OTHER_EVENTS, 2), (ORDERS, 1)):
            kinesis.create_stream(StreamName=name, ShardCount=shards)
        secret_id = secrets.token_urlsafe(16)
        orders_role = _orders_role(iam, secret_id)
        key_arn = aws.client("kms", root, REGION).create_key()["KeyMetadata"]["Arn"]
        table_arn = make_table(aws.client("dynamodb", root, REGION), key_arn, TABLE)
        queue_url = aws.client("sqs", root, REGION).create_queue(
            QueueName=DEAD_LETTERS, Attributes={"MessageRetentionPeriod": "1209600"}
        )["QueueUrl"]
        outputs = deploying.result()
    arns = Estate(
        region=REGION,
        table=table_arn,
        key=key_arn,
        dead_letters=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTERS}",
        streams=tuple(map(stream_arn, (EVENTS, OTHER_EVENTS, ORDERS))),
        roles=(outputs.role_address, orders_role),
    )
    made = MadeEstate(
        aws,
        arns,
        outputs,
        queue_url,
        forwarder=aws.user_with(ACCOUNT, "forwarder", for_ministack(forwarder_policy(arns))),
        operator=aws.user_with(ACCOUNT, "operator", for_ministack(operator_policy(arns))),
        reader=aws.user_with(ACCOUNT, "reader", for_ministack(reader_policy(arns))),
        write_keys={each: secrets.token_urlsafe(16) for each in (WEBSITE, APP)},
    )
    sources = directory / "sources.toml"
    sources.write_text(
        sources_toml(
            (WEBSITE, made.write_keys[WEBSITE], outputs),
            (APP, made.write_keys[APP], StreamStackOutputs(orders_role, REGION, ORDERS)),
            secret_id,
        ),
        encoding="utf-8",
    )
    run(
        "headgate settings import",
        [HEADGATE, "settings", "import", sources, "--table", TABLE],
        environment=made.operator_environment,
        log=directory / "import.log",
        seconds=30,
    )
    sources.unlink()  # it has the write keys and the Secret ID in plain
    return made


def put_old_letters(made: MadeEstate, draw: Random, now: datetime) -> None:
    """Put dead letters into the queue as a forwarder does for what lay in its overflow queue for too long.

    That takes 13 days, which nobody waits for in a demo; these can be sent again at once.
    """
    origin = Origin(
        source_id=WEBSITE, region=REGION, stream_name=EVENTS, role_address=made.outputs.role_address
    )
    tracks = (call for call in website(draw) if call.type == "track")
    letters = []
    for number in range(OLD_LETTERS):
        call = next(tracks)
        given_up = now - timedelta(hours=2, seconds=7 * number)
        received = (given_up - timedelta(days=13)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {
            "type": "track",
            "messageId": str(UUID(int=draw.getrandbits(128), version=4)),
            "userId": call.who,
            **call.arguments,
            "timestamp": received,
            "receivedAt": received,
            "projectId": WEBSITE,
        }
        record = (call.who, json.dumps(event).encode())
        why = "it lay in the overflow queue for 13.0 days"
        letters.append(letter(origin, record, code=EXPIRED, message=why, time=given_up))
    sqs = made.aws.client("sqs", made.forwarder, REGION)
    for each in pack(letters, _MESSAGE_BYTES).packs:
        sqs.send_message(QueueUrl=made.queue_url, MessageBody=each.body)


def _orders_role(iam: Any, secret_id: str) -> str:
    """Make a role as another team would, which asks for a Secret ID; return its ARN."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": secret_id}},
    }
    put = {
        "Effect": "Allow",
        "Action": ["kinesis:PutRecord", "kinesis:PutRecords"],
        "Resource": stream_arn(ORDERS),
    }
    name = "orders-writer"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=_document(put))
    arn: str = role["Arn"]
    return arn


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
