"""Where every run that failed is told, those included that never began."""

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_NO_REDRIVE = Acknowledgment(
    id="AwsSolutions::AwsSolutions-SQS3",
    reason="It is where failures end up; nobody takes a message out but whoever looks into one",
)


class Failures(Construct):
    """A queue with one message for each run that failed, in AWS' words, for 14 days.

    The scheduler sends what it could not start, and ECS each task that ended with another status than 0, was
    killed, or never came up.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        cluster_arn: the cluster that the tasks run in.
        group: the task group that they run in, which tells them from others of the cluster.
        encryption_key: the customer managed key of the queue; EventBridge is let use it.

    Attributes:
        queue: the queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_arn: str,
        group: str,
        encryption_key: kms.Key,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        Validations.of(self.queue).acknowledge(_NO_REDRIVE)
        rule = events.CfnRule(
            self,
            "Stopped",
            description="Audiences' tasks that failed, or that never came up",
            event_pattern=_stopped_badly(cluster_arn, group),
            targets=[events.CfnRule.TargetProperty(id="Failures", arn=self.queue.queue_arn)],
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StoppedTasks",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        encryption_key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsOfThisAccount",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )


def _stopped_badly(cluster_arn: str, group: str) -> dict[str, object]:
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [cluster_arn],
            "group": [group],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"containers": {"exitCode": [{"anything-but": 0}]}},
                # A task that never came up has no exit code, and one that is killed from outside may have 0.
                {"stopCode": [{"anything-but": "EssentialContainerExited"}]},
            ],
        },
    }
