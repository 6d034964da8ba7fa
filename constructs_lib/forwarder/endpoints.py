"""The VPC endpoints that let a forwarder deliver with no way to the internet, each open for that alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.delivery_policy import SHARD_MAP_ACTIONS
from constructs_lib.event_stream_base import DELIVERY_ACTIONS
from constructs_lib.forwarder.destinations import ForwarderDestination
from constructs_lib.forwarder.queues import OVERFLOW_ACTIONS
from constructs_lib.forwarder.settings import SettingsPlace

_SERVICES = {
    "KinesisStreams": ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
    "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
}
_SETTINGS_SERVICES = {
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
}
"""Made for the first forwarder whose settings need one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateAccess:
    """What one forwarder does through the endpoints, as whom.

    Attributes:
        task_role: what the forwarder runs as.
        execution_role: what ECS fetches the image and writes the log as.
        destinations: the streams, and the roles that records are put as.
        queue_arns: its overflow and dead-letter queues.
        settings: where they are.
        log_group_arn: its log, as CDK has it, with `:*` at the end.
    """

    task_role: iam.IRole
    execution_role: iam.IRole
    destinations: Sequence[ForwarderDestination]
    queue_arns: Sequence[str]
    settings: SettingsPlace
    log_group_arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectAccess:
    """What is done in S3 besides fetching images.

    Attributes:
        actions: such as `s3:GetObject`.
        resources: ARNs of objects, or of buckets.
        own_account: whether only buckets of this account are meant, where `resources` is wider than that.
    """

    actions: Sequence[str]
    resources: Sequence[str]
    own_account: bool = False


class PrivateEndpoints(Construct):
    """Interface endpoints for all that a forwarder calls and ECS fetches, gateways for S3 and DynamoDB.

    Each has a policy of its own. As long as no forwarder is allowed, an interface endpoint is open to nobody.

    Args:
        scope: where to make them.
        construct_id: their id within `scope`.
        vpc: where they are.
        subnets: the tasks' subnets; each interface endpoint has an address in each.

    Attributes:
        kinesis: the endpoint that records go through.
        security_group: whoever it lets in may reach each of them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection
    ) -> None:
        super().__init__(scope, construct_id)
        # One group for all: who may reach one of them may reach each.
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="The VPC endpoints that forwarders reach AWS through",
            allow_all_outbound=False,
        )
        self._vpc, self._subnets = vpc, subnets
        self._interfaces = {name: self._interface(name, service) for name, service in _SERVICES.items()}
        self.kinesis = self._interfaces["KinesisStreams"]
        self._s3 = self._gateway("S3", ec2.GatewayVpcEndpointAwsService.S3, vpc, subnets, _image_layers(self))
        self._gateway("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB, vpc, subnets, _own_tables(self))

    def allow(self, access: PrivateAccess, source: ec2.IConnectable) -> None:
        """Open the endpoints for one forwarder.

        Args:
            access: what it does.
            source: its tasks.
        """
        self.security_group.connections.allow_from(source, ec2.Port.tcp(443), "AWS through the VPC endpoints")
        task_role_arn = access.task_role.role_arn
        self.allow_records(access.destinations)
        self.allow_assuming(task_role_arn, access.destinations)
        self._allow("Sqs", [task_role_arn], OVERFLOW_ACTIONS, access.queue_arns)
        self.allow_settings(task_role_arn, access.settings)
        self.allow_starting(access.execution_role.role_arn, access.log_group_arn)

    def allow_records(self, destinations: Sequence[ForwarderDestination]) -> None:
        """Let the roles of destinations put records into their streams."""
        stream_arns = list(dict.fromkeys(each.stream.stream_arn for each in destinations))
        actions = [*DELIVERY_ACTIONS, *SHARD_MAP_ACTIONS]
        self._allow("KinesisStreams", _role_arns(destinations), actions, stream_arns)

    def allow_starting(self, execution_role_arn: str, log_group_arn: str) -> None:
        """Let ECS fetch images and write a log as an execution role."""
        execution = [execution_role_arn]
        self._allow("Logs", execution, ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn])
        # An image may come from any registry that the execution role may read; this endpoint only reads too.
        for name in ("EcrApi", "EcrDocker"):
            self._allow(name, execution, _PULL_ACTIONS, ["*"])

    def allow_assuming(self, principal_arn: str, destinations: Sequence[ForwarderDestination]) -> None:
        """Let one more principal assume the roles of destinations."""
        self._allow("Sts", [principal_arn], ["sts:AssumeRole"], _role_arns(destinations))

    def allow_settings(self, principal_arn: str, settings: SettingsPlace) -> None:
        """Let one more principal read settings."""
        if settings.endpoint not in self._interfaces:
            service = _SETTINGS_SERVICES[settings.endpoint]
            self._interfaces[settings.endpoint] = self._interface(settings.endpoint, service)
        self._allow(settings.endpoint, [principal_arn], settings.actions, [settings.arn])

    def allow_objects(self, principal_arn: str, access: ObjectAccess) -> None:
        """Let one more principal use S3."""
        statement = _statement([principal_arn], access.actions, access.resources)
        if access.own_account:
            statement.add_condition("StringEquals", {"aws:ResourceAccount": Aws.ACCOUNT_ID})
        self._s3.add_to_policy(statement)

    def _allow(
        self, name: str, principals: Sequence[str], actions: Sequence[str], resources: Sequence[str]
    ) -> None:
        self._interfaces[name].add_to_policy(_statement(principals, actions, resources))

    def _interface(self, name: str, service: ec2.IInterfaceVpcEndpointService) -> ec2.InterfaceVpcEndpoint:
        return ec2.InterfaceVpcEndpoint(
            self,
            name,
            vpc=self._vpc,
            service=service,
            subnets=self._subnets,
            security_groups=[self.security_group],
            open=False,
        )

    def _gateway(
        self,
        construct_id: str,
        service: ec2.IGatewayVpcEndpointService,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        statement: iam.PolicyStatement,
    ) -> ec2.GatewayVpcEndpoint:
        gateway = ec2.GatewayVpcEndpoint(self, construct_id, vpc=vpc, service=service, subnets=[subnets])
        gateway.add_to_policy(statement)
        return gateway


def _role_arns(destinations: Sequence[ForwarderDestination]) -> list[str]:
    return list(dict.fromkeys(each.role_arn for each in destinations))


def _statement(
    principals: Sequence[str], actions: Sequence[str], resources: Sequence[str]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=list(actions),
        resources=list(resources),
        conditions={"ArnEquals": {"aws:PrincipalArn": list(principals)}},
    )


_PULL_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
)


def _image_layers(scope: Construct) -> iam.PolicyStatement:
    """ECR hands out an image's layers from a bucket of AWS' own, one in each region."""
    stack = Stack.of(scope)
    return iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"arn:{Aws.PARTITION}:s3:::prod-{stack.region}-starport-layer-bucket/*"],
    )


def _own_tables(scope: Construct) -> iam.PolicyStatement:
    """Reads of this account's tables alone: what leaves through here can only be asked for, not written."""
    tables: dict[str, Any] = {"service": "dynamodb", "resource": "table", "resource_name": "*"}
    return iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        resources=[Stack.of(scope).format_arn(arn_format=ArnFormat.SLASH_RESOURCE_NAME, **tables)],
        conditions={"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
    )
