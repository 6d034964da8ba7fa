"""The customer managed key of a forwarder's queues and log, and how policies let keys be used."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def forwarder_key(scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> kms.Key:
    """Return a new key that rotates each year and that CloudWatch Logs may use for this account's logs."""
    key = kms.Key(
        scope,
        construct_id,
        description=f"Encrypts the queues and the log of {scope.node.path}",
        enable_key_rotation=True,
        removal_policy=removal_policy,
    )
    stack = Stack.of(scope)
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LogsOfThisAccount",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
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
                    "kms:EncryptionContext:aws:logs:arn": f"arn:{stack.partition}:logs:{stack.region}:"
                    f"{stack.account}:log-group:*"
                }
            },
        )
    )
    return key


def key_statement(
    stack: Stack, sid: str, actions: list[str], key_arns: list[str], service: str
) -> iam.PolicyStatement:
    """Return the statement that lets a task use keys through one service of AWS, and not by itself."""
    return iam.PolicyStatement(
        sid=sid,
        actions=actions,
        resources=key_arns,
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}},
    )
