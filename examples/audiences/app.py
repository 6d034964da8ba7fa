"""Audiences alone, with no forwarder: two of them, synced in a VPC that is there already.

Run it with `cdk synth --app "python examples/audiences/app.py"`.
"""

from aws_cdk import Acknowledgment, App, CfnOutput, Environment, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from constructs_lib import DestinationRole, EventStream, segment_principal
from constructs_lib.audiences import AudienceMembers, AudienceRunner, AudienceSync
from constructs_lib.forwarder import ForwarderDestination, ForwarderNetwork, forwarder_principal

SOURCE_ID = "8kf3Qw2LpZ"
TASK_ROLE = "events-audiences"
ON_CALL = "arn:aws:sns:us-west-2:123456789012:on-call"


class Audiences(Stack):
    """Segment writes events into the stream; the members of two audiences come from our own exports."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(region="us-west-2"))
        events = EventStream(self, "Events", shard_count=2)
        role = DestinationRole(
            self,
            "Role",
            streams=[events],
            source_ids=[SOURCE_ID],
            principals=[segment_principal(), forwarder_principal(task_role_name=TASK_ROLE)],
            shard_map=True,
        )
        runner = AudienceRunner(
            self,
            "Runner",
            # A sources.toml with the source, its destination and the role above as its role_address.
            sources=secretsmanager.Secret.from_secret_name_v2(self, "Sources", "events/sources"),
            destinations=[ForwarderDestination.of(events, role)],
            network=ForwarderNetwork(self, "Network", vpc=self._vpc(), task_subnets=self._subnets()),
            task_role_name=TASK_ROLE,
            service_name="audiences",
            alarm_actions=[SnsAction(sns.Topic.from_topic_arn(self, "OnCall", ON_CALL))],
        )
        AudienceSync(
            self,
            "Buyers",
            runner=runner,
            name="Order completed last 30days",
            # Each run reads all that is there: the export replaces its files.
            members=AudienceMembers(location="s3://example-exports/order-completed/"),
            source_id=SOURCE_ID,
            schedule="rate(1 hour)",
        )
        AudienceSync(
            self,
            "LifetimeValue",
            runner=runner,
            name="Lifetime value",
            members=AudienceMembers(location="s3://example-exports/lifetime-value.parquet"),
            value_column="lifetime_value",
            source_id=SOURCE_ID,
            schedule="cron(0 6 * * ? *)",
            time_zone="America/Los_Angeles",
            stale_after_hours=50,
            max_records_per_second=500,
        )
        CfnOutput(self, "RoleAddress", value=role.role_arn)
        CfnOutput(self, "State", value=runner.state_bucket.bucket_name)
        CfnOutput(self, "Failures", value=runner.failure_queue.queue_url)

    def _vpc(self) -> ec2.IVpc:
        return ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id="vpc-0a1b2c3d4e5f67890",
            availability_zones=["us-west-2a", "us-west-2b"],
            vpc_cidr_block="10.20.0.0/16",
        )

    def _subnets(self) -> ec2.SubnetSelection:
        ids = ["subnet-0a1b2c3d4e5f67890", "subnet-1b2c3d4e5f67890a1"]
        subnets = [
            ec2.Subnet.from_subnet_id(self, f"Subnet{number}", each) for number, each in enumerate(ids)
        ]
        for subnet in subnets:
            Validations.of(subnet).acknowledge(_NO_ROUTE_TABLES)
        return ec2.SubnetSelection(subnets=subnets)


_NO_ROUTE_TABLES = Acknowledgment(
    id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
    reason="Only gateway endpoints need route tables, and those of this VPC are there already",
)

app = App()
Audiences(app, "audiences")
app.synth()
