"""A forwarder in a network that you own, with all else that your organisation has already.

Nothing here is looked up, so `cdk synth --app "python examples/own_network/app.py"` needs no credentials.
"""

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from constructs_lib import DestinationRole, EventStream
from constructs_lib.dashboard import EventDashboard
from constructs_lib.forwarder import Forwarder, ForwarderDestination, ForwarderNetwork, forwarder_principal

ACCOUNT, REGION = "123456789012", "us-west-2"
ZONES, ROUTE_TABLE = ["us-west-2a", "us-west-2b"], "rtb-0a1b2c3d4e5f67890"
TASK_ROLE, EXECUTION_ROLE = "events-forwarder", "events-forwarder-execution"


class Events(Stack):
    """Somebody's stack, in an organisation where a team for each of these has made them."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account=ACCOUNT, region=REGION))
        network, cluster = self._network()

        stream_key = self._key("StreamKey", "0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789")
        clicks = EventStream.from_stream_attributes(
            self, "Clicks", stream_arn=self._arn("kinesis", "stream/clicks"), encryption_key=stream_key
        )
        role = DestinationRole(
            self,
            "Role",
            streams=[clicks],
            source_ids=["8kf3Qw2LpZ"],
            principals=[forwarder_principal(task_role_name=TASK_ROLE)],
            shard_map=True,
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(
                self, "Boundary", "team-boundary"
            ),
        )
        forwarder = Forwarder(
            self,
            "Forwarder",
            sources=secretsmanager.Secret.from_secret_name_v2(self, "Sources", "events/sources"),
            destinations=[ForwarderDestination.of(clicks, role)],
            domain_name="events.example.com",
            certificate=acm.Certificate.from_certificate_arn(
                self, "Certificate", self._arn("acm", "certificate/1b2c3d4e-5f67-890a-1b2c-3d4e5f67890a")
            ),
            network=network,
            allowed_cidrs=["10.0.0.0/8"],
            cluster=cluster,
            # Yours after a review, copied into your registry: docs/image.md says how it is built.
            image=ecs.ContainerImage.from_ecr_repository(
                ecr.Repository.from_repository_name(self, "Images", "headgate"), "1.0.0"
            ),
            # It gains one policy, with what this forwarder does and nothing else.
            task_role=iam.Role.from_role_name(self, "TaskRole", TASK_ROLE),
            # It may fetch that image and write logs already, so it gains nothing.
            execution_role=iam.Role.from_role_arn(
                self, "ExecutionRole", f"arn:aws:iam::{ACCOUNT}:role/{EXECUTION_ROLE}", mutable=False
            ),
            # Its policy lets SQS' callers of this account and CloudWatch Logs use it.
            encryption_key=self._key("QueueKey", "2c3d4e5f-6789-0a1b-2c3d-4e5f67890a1b"),
        )

        on_call = sns.Topic.from_topic_arn(self, "OnCall", self._arn("sns", "on-call"))
        EventDashboard(
            self, "Dashboard", streams=[clicks], forwarder=forwarder, alarm_actions=[SnsAction(on_call)]
        )
        CfnOutput(self, "LoadBalancer", value=forwarder.load_balancer.load_balancer_dns_name)

    def _network(self) -> tuple[ForwarderNetwork, ecs.ICluster]:
        """Subnets with a way to AWS, through endpoints or NAT gateways of their owner."""
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id="vpc-0a1b2c3d4e5f67890",
            availability_zones=ZONES,
            vpc_cidr_block="10.20.0.0/16",
        )
        network = ForwarderNetwork(
            self,
            "Network",
            vpc=vpc,
            task_subnets=self._subnets("Tasks", "subnet-0a1b2c3d4e5f67890", "subnet-1b2c3d4e5f67890a1"),
            load_balancer_subnets=self._subnets(
                "Entry", "subnet-2c3d4e5f67890a1b2", "subnet-3d4e5f67890a1b2c3"
            ),
            log_bucket=s3.Bucket.from_bucket_name(self, "AccessLogs", "example-access-logs"),
        )
        cluster = ecs.Cluster.from_cluster_attributes(self, "Cluster", cluster_name="platform", vpc=vpc)
        return network, cluster

    def _subnets(self, name: str, *ids: str) -> ec2.SubnetSelection:
        return ec2.SubnetSelection(
            subnets=[
                ec2.Subnet.from_subnet_attributes(
                    self,
                    f"{name}-{zone}",
                    subnet_id=subnet_id,
                    availability_zone=zone,
                    route_table_id=ROUTE_TABLE,
                )
                for subnet_id, zone in zip(ids, ZONES, strict=True)
            ]
        )

    def _key(self, construct_id: str, key_id: str) -> kms.IKey:
        return kms.Key.from_key_arn(self, construct_id, self._arn("kms", f"key/{key_id}"))

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


app = App()
Events(app, "events")
app.synth()
