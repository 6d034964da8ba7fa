"""The bucket for access logs and flow logs."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

KEPT = Duration.days(90)


def log_bucket(scope: Construct, construct_id: str) -> s3.Bucket:
    """Return a new bucket for logs, which stays when its stack goes and empties itself in 90 days.

    A load balancer writes its access logs only into a bucket that is encrypted with S3's own keys.
    """
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        server_access_logs_prefix="bucket/",
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=KEPT,
                noncurrent_version_expiration=Duration.days(1),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    cast("s3.BucketPolicy", bucket.policy).apply_removal_policy(RemovalPolicy.RETAIN)
    return bucket
