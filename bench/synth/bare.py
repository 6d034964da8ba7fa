"""The same resources with aws-cdk-lib alone, nothing checked."""

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms

app = App()
stack = Stack(app, "stack")
key = kms.Key(
    stack,
    "Key",
    description="Encrypts the stream stack/Events",
    enable_key_rotation=True,
    removal_policy=RemovalPolicy.RETAIN,
)
stream = kinesis.Stream(
    stack,
    "Stream",
    stream_name="events",
    stream_mode=kinesis.StreamMode.PROVISIONED,
    shard_count=2,
    retention_period=Duration.hours(24),
    encryption=kinesis.StreamEncryption.KMS,
    encryption_key=key,
    removal_policy=RemovalPolicy.RETAIN,
)
stream.node.default_child.max_record_size_in_kib = 1024
role = iam.Role(
    stack,
    "Role",
    description="Assumed under an External ID to deliver events into Kinesis streams",
    assumed_by=iam.ArnPrincipal("arn:aws:iam::595280932656:role/customer-kinesis-access"),
    external_ids=["8kf3Qw2LpZ", "2bYt7RxMnc", "Vd5hJ1sKaE"],
)
iam.ManagedPolicy(
    stack,
    "Policy",
    description="Delivery of events into Kinesis streams",
    roles=[role],
    document=iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="DeliverToStreams",
                actions=["kinesis:PutRecord", "kinesis:PutRecords"],
                resources=[stream.stream_arn],
            ),
            iam.PolicyStatement(
                sid="EncryptForStreams",
                actions=["kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:kinesis:arn": [stream.stream_arn]}},
            ),
            iam.PolicyStatement(
                sid="AskAboutOwnPermissions",
                actions=["iam:SimulatePrincipalPolicy"],
                resources=[role.role_arn],
            ),
        ]
    ),
)
app.synth()
