"""The same resources with aws-cdk-lib alone, nothing checked. The scopes are only for the same names."""

from pathlib import Path

from aws_cdk import App, Aws, Duration, Environment, Fn, RemovalPolicy, Size, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

DELIVERY = ["kinesis:PutRecord", "kinesis:PutRecords"]
SHARD_MAP = ["kinesis:DescribeStreamSummary", "kinesis:ListShards"]
OVERFLOW = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
]
PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
]
KEPT = RemovalPolicy.RETAIN

app = App(
    context={
        "@aws-cdk/aws-s3:createDefaultLoggingPolicy": True,
        "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    }
)
stack = Stack(app, "stack", env=Environment(region="us-west-2"))

# The stream, and the role to write to it.
stream = kinesis.Stream(
    Construct(stack, "Events"),
    "Resource",
    stream_name="events",
    stream_mode=kinesis.StreamMode.PROVISIONED,
    shard_count=2,
    retention_period=Duration.hours(24),
    encryption=kinesis.StreamEncryption.MANAGED,
    removal_policy=KEPT,
)
of_role = Construct(stack, "Role")
role = iam.Role(
    of_role,
    "Resource",
    description="Assumed under an External ID to deliver events into Kinesis streams",
    assumed_by=iam.PrincipalWithConditions(
        iam.AccountPrincipal(Aws.ACCOUNT_ID),
        {
            "ArnEquals": {
                "aws:PrincipalArn": f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/events-forwarder"
            }
        },
    ),
    external_ids=["8kf3Qw2LpZ", "2bYt7RxMnc"],
)
iam.ManagedPolicy(
    Construct(of_role, "Policy"),
    "Resource",
    description="Delivery of events into Kinesis streams",
    roles=[role],
    document=iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="DeliverToStreams", actions=[*DELIVERY, *SHARD_MAP], resources=[stream.stream_arn]
            ),
            iam.PolicyStatement(
                sid="AskAboutOwnPermissions",
                actions=["iam:SimulatePrincipalPolicy"],
                resources=[role.role_arn],
            ),
        ]
    ),
)
sources = secretsmanager.Secret.from_secret_name_v2(stack, "Sources", "headgate/sources")

# The network.
forwarder = Construct(stack, "Forwarder")
network = Construct(forwarder, "Network")
bucket = s3.Bucket(
    network,
    "Logs",
    encryption=s3.BucketEncryption.S3_MANAGED,
    block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
    enforce_ssl=True,
    minimum_tls_version=1.2,
    server_access_logs_prefix="bucket/",
    versioned=True,
    lifecycle_rules=[
        s3.LifecycleRule(
            expiration=Duration.days(90),
            noncurrent_version_expiration=Duration.days(1),
            abort_incomplete_multipart_upload_after=Duration.days(1),
        )
    ],
    removal_policy=KEPT,
)
bucket.policy.apply_removal_policy(KEPT)
vpc = ec2.Vpc(
    network,
    "Vpc",
    ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16"),
    availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(2)],
    restrict_default_security_group=False,
    nat_gateways=0,
    subnet_configuration=[ec2.SubnetConfiguration(name="Tasks", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
)
vpc.add_flow_log(
    "FlowLog",
    destination=ec2.FlowLogDestination.to_s3(bucket, "network"),
    traffic_type=ec2.FlowLogTrafficType.ALL,
)
subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
endpoints = Construct(network, "Endpoints")
endpoints_group = ec2.SecurityGroup(
    endpoints,
    "SecurityGroup",
    vpc=vpc,
    description="The VPC endpoints that forwarders reach AWS through",
    allow_all_outbound=False,
)
of_aws = ec2.InterfaceVpcEndpointAwsService
interfaces = {
    name: ec2.InterfaceVpcEndpoint(
        endpoints,
        name,
        vpc=vpc,
        service=service,
        subnets=subnets,
        security_groups=[endpoints_group],
        open=False,
    )
    for name, service in {
        "KinesisStreams": of_aws.KINESIS_STREAMS,
        "Sts": of_aws.STS,
        "Sqs": of_aws.SQS,
        "SecretsManager": of_aws.SECRETS_MANAGER,
        "Logs": of_aws.CLOUDWATCH_LOGS,
        "EcrApi": of_aws.ECR,
        "EcrDocker": of_aws.ECR_DOCKER,
    }.items()
}
ec2.GatewayVpcEndpoint(
    endpoints, "S3", vpc=vpc, service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[subnets]
).add_to_policy(
    iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"arn:{Aws.PARTITION}:s3:::prod-us-west-2-starport-layer-bucket/*"],
    )
)
ec2.GatewayVpcEndpoint(
    endpoints, "DynamoDb", vpc=vpc, service=ec2.GatewayVpcEndpointAwsService.DYNAMODB, subnets=[subnets]
).add_to_policy(
    iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        resources=[f"arn:{Aws.PARTITION}:dynamodb:us-west-2:{Aws.ACCOUNT_ID}:table/*"],
        conditions={"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
    )
)

# The queues, the log and their key.
key = kms.Key(
    forwarder,
    "Key",
    description="Encrypts the queues and the log of stack/Forwarder",
    enable_key_rotation=True,
    removal_policy=KEPT,
)
key.add_to_resource_policy(
    iam.PolicyStatement(
        sid="LogsOfThisAccount",
        principals=[iam.ServicePrincipal("logs.us-west-2.amazonaws.com")],
        actions=[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        resources=["*"],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:{Aws.PARTITION}:logs:us-west-2:"
                f"{Aws.ACCOUNT_ID}:log-group:*"
            }
        },
    )
)
queues = Construct(forwarder, "Queues")
overflow, dead_letters = (
    sqs.Queue(
        queues,
        name,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        data_key_reuse=Duration.hours(1),
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=KEPT,
    )
    for name in ("Overflow", "DeadLetters")
)
for queue in (overflow, dead_letters):
    queue.node.default_child.maximum_message_size = 1_048_576
    queue.node.find_child("Policy").apply_removal_policy(KEPT)
log_group = logs.LogGroup(
    forwarder, "Log", retention=logs.RetentionDays.THREE_MONTHS, encryption_key=key, removal_policy=KEPT
)

# The roles.
of_tasks = iam.ServicePrincipal(
    "ecs-tasks.amazonaws.com",
    conditions={
        "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:ecs:us-west-2:{Aws.ACCOUNT_ID}:*"},
    },
)
task_role = iam.Role(
    forwarder,
    "TaskRole",
    role_name="events-forwarder",
    description="The forwarder assumes its destinations' roles as this role",
    assumed_by=of_tasks,
)
execution_role = iam.Role(
    forwarder,
    "ExecutionRole",
    description="ECS fetches the forwarder's image and writes its log as this role",
    assumed_by=of_tasks,
)
task_policy = iam.ManagedPolicy(
    forwarder,
    "TaskPolicy",
    description="Use of destinations' roles, queues and settings by a forwarder",
    roles=[task_role],
    document=iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="AssumeDestinationRoles", actions=["sts:AssumeRole"], resources=[role.role_arn]
            ),
            iam.PolicyStatement(sid="SpillAndDrain", actions=OVERFLOW, resources=[overflow.queue_arn]),
            iam.PolicyStatement(
                sid="BuryDeadLetters",
                actions=["sqs:GetQueueAttributes", "sqs:SendMessage"],
                resources=[dead_letters.queue_arn],
            ),
            iam.PolicyStatement(
                sid="EncryptQueues",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": "sqs.us-west-2.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="ReadSettings",
                actions=["secretsmanager:GetSecretValue"],
                resources=[f"{sources.secret_arn}-??????"],
            ),
        ]
    ),
)

# The task.
definition = ecs.FargateTaskDefinition(
    forwarder,
    "Task",
    cpu=512,
    memory_limit_mib=1_024,
    runtime_platform=ecs.RuntimePlatform(
        cpu_architecture=ecs.CpuArchitecture.ARM64,
        operating_system_family=ecs.OperatingSystemFamily.LINUX,
    ),
    task_role=task_role,
    execution_role=execution_role,
)
linux = ecs.LinuxParameters(definition, "Linux", init_process_enabled=True)
linux.drop_capabilities(ecs.Capability.ALL)
image = ecr_assets.DockerImageAsset(
    forwarder,
    "Image",
    directory=str(Path(__file__).parents[2] / "runtime"),
    platform=ecr_assets.Platform.LINUX_ARM64,
)
definition.add_container(
    "Forwarder",
    image=ecs.ContainerImage.from_docker_image_asset(image),
    command=[
        "serve",
        *("--sources", "secretsmanager://headgate/sources"),
        *("--host", "0.0.0.0"),
        *("--port", "8080"),
        *("--workers", "1"),
        *("--forwarded-hops", "1"),
        *("--public-url", "https://events.example.com"),
        *("--drain", "20"),
        *("--overflow-queue", overflow.queue_url),
        *("--dead-letter-queue", dead_letters.queue_url),
        *("--service-name", "headgate"),
    ],
    essential=True,
    user="65532:65532",
    readonly_root_filesystem=True,
    privileged=False,
    linux_parameters=linux,
    stop_timeout=Duration.seconds(60),
    port_mappings=[ecs.PortMapping(container_port=8080)],
    health_check=ecs.HealthCheck(
        command=["CMD", "python3", "-m", "headgate.health"],
        interval=Duration.seconds(15),
        timeout=Duration.seconds(5),
        retries=3,
        start_period=Duration.seconds(30),
    ),
    logging=ecs.LogDrivers.aws_logs(
        stream_prefix="forwarder",
        log_group=log_group,
        mode=ecs.AwsLogDriverMode.NON_BLOCKING,
        max_buffer_size=Size.mebibytes(25),
    ),
)

# The load balancer.
way_in = Construct(forwarder, "LoadBalancer")
balancer_group = ec2.SecurityGroup(
    way_in,
    "SecurityGroup",
    vpc=vpc,
    description="The load balancer before a forwarder",
    allow_all_outbound=False,
)
balancer_group.add_ingress_rule(ec2.Peer.ipv4("10.0.0.0/16"), ec2.Port.tcp(443), "Events from 10.0.0.0/16")
balancer = elbv2.ApplicationLoadBalancer(
    way_in,
    "Resource",
    vpc=vpc,
    vpc_subnets=subnets,
    internet_facing=False,
    security_group=balancer_group,
    idle_timeout=Duration.seconds(60),
    drop_invalid_header_fields=True,
    desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
    deletion_protection=True,
)
balancer.log_access_logs(bucket, "load-balancer")
listener = balancer.add_listener(
    "Https",
    port=443,
    protocol=elbv2.ApplicationProtocol.HTTPS,
    ssl_policy=elbv2.SslPolicy.TLS13_RES,
    certificates=[
        acm.Certificate.from_certificate_arn(
            stack,
            "Certificate",
            "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789",
        )
    ],
    open=False,
)

# The service.
cluster = ecs.Cluster(forwarder, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
tasks_group = ec2.SecurityGroup(
    forwarder,
    "SecurityGroup",
    vpc=vpc,
    description="The tasks of a forwarder",
    allow_all_outbound=False,
)
tasks_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS")
service = ecs.FargateService(
    forwarder,
    "Service",
    cluster=cluster,
    task_definition=definition,
    vpc_subnets=subnets,
    security_groups=[tasks_group],
    assign_public_ip=False,
    platform_version=ecs.FargatePlatformVersion.VERSION1_4,
    min_healthy_percent=100,
    max_healthy_percent=200,
    circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
    availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
    health_check_grace_period=Duration.seconds(60),
    propagate_tags=ecs.PropagatedTagSource.SERVICE,
    enable_ecs_managed_tags=True,
)
target_group = listener.add_targets(
    "Tasks",
    port=8080,
    protocol=elbv2.ApplicationProtocol.HTTP,
    targets=[service],
    deregistration_delay=Duration.seconds(15),
    load_balancing_algorithm_type=elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
    health_check=elbv2.HealthCheck(
        path="/healthz",
        interval=Duration.seconds(10),
        timeout=Duration.seconds(5),
        healthy_threshold_count=2,
        unhealthy_threshold_count=3,
        healthy_http_codes="200",
    ),
)
count = service.auto_scale_task_count(min_capacity=2, max_capacity=10)
count.scale_on_cpu_utilization(
    "Cpu",
    target_utilization_percent=60,
    scale_out_cooldown=Duration.seconds(60),
    scale_in_cooldown=Duration.minutes(5),
)
count.scale_on_request_count(
    "Requests",
    requests_per_target=60_000,
    target_group=target_group,
    scale_out_cooldown=Duration.seconds(60),
    scale_in_cooldown=Duration.minutes(5),
)

# What each may do through the endpoints.
endpoints_group.connections.allow_from(service, ec2.Port.tcp(443), "AWS through the VPC endpoints")
for name, caller, actions, resources in (
    ("KinesisStreams", role, [*DELIVERY, *SHARD_MAP], [stream.stream_arn]),
    ("Sts", task_role, ["sts:AssumeRole"], [role.role_arn]),
    ("Sqs", task_role, OVERFLOW, [overflow.queue_arn, dead_letters.queue_arn]),
    ("SecretsManager", task_role, ["secretsmanager:GetSecretValue"], [f"{sources.secret_arn}-??????"]),
    ("Logs", execution_role, ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn]),
    ("EcrApi", execution_role, PULL, ["*"]),
    ("EcrDocker", execution_role, PULL, ["*"]),
):
    interfaces[name].add_to_policy(
        iam.PolicyStatement(
            principals=[iam.StarPrincipal()],
            actions=actions,
            resources=resources,
            conditions={"ArnEquals": {"aws:PrincipalArn": [caller.role_arn]}},
        )
    )

# What the service's tasks need from the first to the last.
routes = [subnet.internet_connectivity_established for subnet in vpc.isolated_subnets]
resource = service.node.find_child("Service")
resource.node.add_dependency(task_policy, execution_role, of_role, *routes, endpoints, way_in)
for group in service.connections.security_groups:
    rules = (ec2.CfnSecurityGroupIngress, ec2.CfnSecurityGroupEgress)
    resource.node.add_dependency(*(each for each in group.node.children if isinstance(each, rules)))
app.synth()
