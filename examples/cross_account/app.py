"""A stream in one account, and in another the forwarder that delivers into it.

Two stacks for two accounts, each with what the other's names are and no reference to it: deploy them in any
order, `cdk deploy --app "python examples/cross_account/app.py" STACK` with the credentials of its account.
"""

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import Forwarder, ForwarderDestination, forwarder_principal

REGION = "us-west-2"
STREAM_ACCOUNT, FORWARDER_ACCOUNT = "111122223333", "444455556666"
STREAM_NAME = "events"
WRITER_ROLE_NAME, TASK_ROLE_NAME = "events-writer", "events-forwarder"
SOURCE_ID = "8kf3Qw2LpZ"


class Analytics(Stack):
    """The account that owns the data: the stream, and the role that lets the forwarder in."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account=STREAM_ACCOUNT, region=REGION))
        events = EventStream(self, "Events", stream_name=STREAM_NAME, shard_count=2)
        # By account and by name: it need not exist yet, and may be made again.
        forwarder = forwarder_principal(account=FORWARDER_ACCOUNT, task_role_name=TASK_ROLE_NAME)
        DestinationRole(
            self,
            "Writer",
            streams=[events],
            source_ids=[SOURCE_ID],
            principals=[forwarder],
            shard_map=True,
            role_name=WRITER_ROLE_NAME,
        )


class Collector(Stack):
    """The account that takes events in; it can put them into that stream, and do nothing else there."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account=FORWARDER_ACCOUNT, region=REGION))
        events = EventStream.from_stream_attributes(
            self, "Events", stream_arn=f"arn:aws:kinesis:{REGION}:{STREAM_ACCOUNT}:stream/{STREAM_NAME}"
        )
        role_arn = f"arn:aws:iam::{STREAM_ACCOUNT}:role/{WRITER_ROLE_NAME}"
        certificate_arn = (
            f"arn:aws:acm:{REGION}:{FORWARDER_ACCOUNT}:certificate/1b2c3d4e-5f67-890a-1b2c-3d4e5f67890a"
        )
        forwarder = Forwarder(
            self,
            "Forwarder",
            # In it, role_address is the role above, and the source's ID is SOURCE_ID.
            sources=secretsmanager.Secret.from_secret_name_v2(self, "Sources", "events/sources"),
            destinations=[ForwarderDestination(stream=events, role_arn=role_arn)],
            domain_name="events.example.com",
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", certificate_arn),
            task_role_name=TASK_ROLE_NAME,
        )
        CfnOutput(self, "LoadBalancer", value=forwarder.load_balancer.load_balancer_dns_name)


app = App()
Analytics(app, "analytics")
Collector(app, "collector")
app.synth()
