"""What every bucket of ours has: nobody outside the account reads it, and it stays when its stack goes."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct


def private_bucket(
    scope: Construct, construct_id: str, *, access_logs: str, lifecycle_rules: Sequence[s3.LifecycleRule]
) -> s3.Bucket:
    """Return a new bucket, and retain its policy with it.

    Args:
        scope: where.
        construct_id: its ID there.
        access_logs: the prefix of its own access logs, which S3 writes into it.
        lifecycle_rules: how long what is kept.
    """
    bucket = s3.Bucket(
        scope,
        construct_id,
        # A load balancer writes its access logs only into a bucket that is encrypted with S3's own keys.
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        server_access_logs_prefix=access_logs,
        versioned=True,
        lifecycle_rules=lifecycle_rules,
        removal_policy=RemovalPolicy.RETAIN,
    )
    cast("s3.BucketPolicy", bucket.policy).apply_removal_policy(RemovalPolicy.RETAIN)
    return bucket
