"""What an event stream is to those that write to it or watch it, made here or not."""

import re
from collections.abc import Sequence

from aws_cdk import Arn, ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.checks import known
from constructs_lib.stream_metrics import StreamMetrics

DELIVERY_ACTIONS = ("kinesis:PutRecord", "kinesis:PutRecords")
"""The write policy of Segment's documentation, and not one action more."""

KEY_ACTION = "kms:GenerateDataKey"
"""All that a writer needs of a stream's customer managed key."""

_STREAM_ARN = re.compile(r"arn:aws[\w-]*:kinesis:[a-z0-9-]+:\d{12}:stream/[a-zA-Z0-9_.-]{1,128}")


def encryption_context(stream_arns: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return the condition that binds a key's use to streams: Kinesis names the stream to KMS each time."""
    return {"StringEquals": {"kms:EncryptionContext:aws:kinesis:arn": list(stream_arns)}}


class EventStreamBase(StreamMetrics, Construct):
    """What an event stream is to those that write to it or watch it, made here or not.

    Attributes:
        stream: the CDK stream, for all that CDK can do with one.
        region: where the stream is.
        encryption_key: its customer managed key; `None` if it has none, or AWS manages it.
        shard_count: its provisioned shards; `None` if it is on demand or was not made here.
        retention_period: how long it keeps a record; `None` if it was not made here.
        shard_level_metrics: which metrics it has per shard; `None` if it was not made here.
    """

    stream: kinesis.IStream
    region: str
    encryption_key: kms.IKey | None = None
    shard_count: int | None = None
    retention_period: Duration | None = None
    shard_level_metrics: Sequence[kinesis.ShardLevelMetrics] | None = None

    @staticmethod
    def from_stream_attributes(
        scope: Construct, construct_id: str, *, stream_arn: str, encryption_key: kms.IKey | None = None
    ) -> "EventStreamBase":
        """Return a stream that exists already, here or in another region, to grant writers delivery into it.

        Args:
            scope: where to stand for it.
            construct_id: an id within `scope`; no resource is made.
            stream_arn: the stream's ARN.
            encryption_key: the customer managed key that the stream is encrypted with, if it is: without it
                writers are granted no use of the key, and Kinesis refuses their records.

        Raises:
            ValueError: `stream_arn` is not the ARN of a stream.
        """
        return _ExistingStream(scope, construct_id, stream_arn, encryption_key)

    @property
    def stream_arn(self) -> str:
        """The stream's ARN."""
        return self.stream.stream_arn

    @property
    def stream_name(self) -> str:
        """The stream's name."""
        return self.stream.stream_name

    def grant_delivery(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` put records into this stream, and use its customer managed key for that alone.

        Narrower than CDK's `grant_write`: no ListShards, and of the key's actions only `kms:GenerateDataKey`.

        Raises:
            ValueError: the grantee has no policy to add to, such as a role of another account.
        """
        grant = iam.Grant.add_to_principal(
            grantee=grantee, actions=list(DELIVERY_ACTIONS), resource_arns=[self.stream_arn], scope=self
        )
        if self.encryption_key is not None:
            grant = grant.combine(
                iam.Grant.add_to_principal(
                    grantee=grantee,
                    actions=[KEY_ACTION],
                    resource_arns=[self.encryption_key.key_arn],
                    conditions=encryption_context([self.stream_arn]),
                    scope=self,
                )
            )
        if not grant.success:
            raise ValueError(
                f"grantee: {grantee} has no policy here that the permission could stand in; "
                "for a writer of another account make a DestinationRole that trusts it"
            )
        return grant


class _ExistingStream(EventStreamBase):
    def __init__(
        self, scope: Construct, construct_id: str, stream_arn: str, encryption_key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        if known(stream_arn) and not _STREAM_ARN.fullmatch(stream_arn):
            raise ValueError(
                f"stream_arn: {stream_arn!r} is not the ARN of a stream; "
                "it looks like arn:aws:kinesis:us-west-2:123456789012:stream/events"
            )
        check_key(encryption_key)
        self.stream = kinesis.Stream.from_stream_arn(self, "Resource", stream_arn)
        self.region = Arn.split(stream_arn, ArnFormat.SLASH_RESOURCE_NAME).region or Stack.of(self).region
        self.encryption_key = encryption_key


def check_key(key: kms.IKey | None) -> None:
    """Refuse what is not a key: an alias, for one.

    Raises:
        ValueError: names the ARN.
    """
    if key is not None and (":alias/" in key.key_arn or (known(key.key_arn) and ":key/" not in key.key_arn)):
        raise ValueError(
            f"encryption_key: {key.key_arn!r} is not the ARN of a key, and a permission for an alias grants "
            "nothing; it looks like arn:aws:kms:us-west-2:123456789012:key/..."
        )
