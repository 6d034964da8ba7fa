"""Headgate's constructs in a stack that you have already, for a stream that you have already.

Run it with `cdk synth --app "python examples/existing_stack/app.py"`.
"""

from aws_cdk import Acknowledgment, App, CfnOutput, Stack, Validations
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib import DestinationRole, EventStream


class Analytics(Stack):
    """Somebody's stack. The stream and its key were here before, and stay as they are."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "ClicksKey", enable_key_rotation=True)
        clicks = kinesis.Stream(
            self,
            "Clicks",
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=key,
        )
        Validations.of(clicks).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-KDS3",
                reason="The key's policy decides who can read the clicks; AWS's own key has none to set",
            )
        )

        # This is all that Headgate adds: two resources, the role and its policy.
        existing = EventStream.from_stream_attributes(
            self, "ExistingClicks", stream_arn=clicks.stream_arn, encryption_key=key
        )
        role = DestinationRole(self, "Segment", streams=[existing], source_ids=["8kf3Qw2LpZ"])
        CfnOutput(self, "RoleAddress", value=role.role_arn)


app = App()
Analytics(app, "analytics")
app.synth()
