"""The two queues of a forwarder: what Kinesis does not take now, and what it will never take."""

from typing import cast

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

RETENTION = Duration.days(14)
"""The longest that SQS keeps a message."""

MESSAGE_BYTES = 1_048_576
"""The largest message that SQS takes, and its own default."""

OVERFLOW_ACTIONS = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
)
"""What a forwarder does with its overflow queue: spill, drain, and look how full it is."""

DEAD_LETTER_ACTIONS = ("sqs:GetQueueAttributes", "sqs:SendMessage")
"""What a forwarder does with its dead letters; reading them is for an operator with `headgate redrive`."""

_NO_REDRIVE = Acknowledgment(
    id="AwsSolutions::AwsSolutions-SQS3",
    reason="In an outage of Kinesis every message of the overflow queue is received many times, so a redrive "
    "policy would move all of it into the dead letters; the forwarder itself moves what is 13 days old",
)


class ForwarderQueues(Construct):
    """The overflow queue and the dead-letter queue: encrypted, TLS only, and kept for 14 days.

    Args:
        scope: where to make them.
        construct_id: their id within `scope`.
        encryption_key: the customer managed key that both are encrypted with.
        removal_policy: what becomes of them, with events inside, when the stack lets go of them.

    Attributes:
        overflow: what Kinesis could not take in time, until it can. It has no redrive policy.
        dead_letters: what no stream will ever take, until an operator looks at it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.overflow = self._queue("Overflow", encryption_key, removal_policy)
        self.dead_letters = self._queue("DeadLetters", encryption_key, removal_policy)
        Validations.of(self).acknowledge(_NO_REDRIVE)

    def _queue(self, construct_id: str, key: kms.IKey, removal_policy: RemovalPolicy) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            retention_period=RETENTION,
            removal_policy=removal_policy,
        )
        # CDK's own check of this prop still has the limit of before 2025, 256 KiB.
        cast("sqs.CfnQueue", queue.node.default_child).maximum_message_size = MESSAGE_BYTES
        # A queue that stays keeps its policy, too.
        cast("sqs.QueuePolicy", queue.node.find_child("Policy")).apply_removal_policy(removal_policy)
        return queue
