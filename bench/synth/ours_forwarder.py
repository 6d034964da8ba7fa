"""A stream, and a forwarder in front of it, with Headgate's constructs."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import Forwarder, ForwarderDestination, forwarder_principal

app = App()
stack = Stack(app, "stack", env=Environment(region="us-west-2"))
events = EventStream(stack, "Events", stream_name="events", shard_count=2)
role = DestinationRole(
    stack,
    "Role",
    streams=[events],
    source_ids=["8kf3Qw2LpZ", "2bYt7RxMnc"],
    principals=[forwarder_principal(task_role_name="events-forwarder")],
    shard_map=True,
)
Forwarder(
    stack,
    "Forwarder",
    sources=secretsmanager.Secret.from_secret_name_v2(stack, "Sources", "headgate/sources"),
    destinations=[ForwarderDestination.of(events, role)],
    domain_name="events.example.com",
    certificate=acm.Certificate.from_certificate_arn(
        stack,
        "Certificate",
        "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789",
    ),
    task_role_name="events-forwarder",
)
app.synth()
