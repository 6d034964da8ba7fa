"""The bucket for what every user was last told, which the next sync compares with."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

PREFIX = "audiences/"
"""Where in the bucket the state is."""

ACCESS_LOGS = "access-logs/"


def state_bucket(scope: Construct, construct_id: str) -> s3.Bucket:
    """Return a new bucket for state, which stays when its stack goes.

    Without the state every user of every audience is sent anew. What a sync replaced can be brought back for
    a month. S3 writes the bucket's access logs beside it, for 90 days.
    """
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        server_access_logs_prefix=ACCESS_LOGS,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=Duration.days(30),
                expired_object_delete_marker=True,
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            s3.LifecycleRule(prefix=ACCESS_LOGS, expiration=Duration.days(90)),
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    cast("s3.BucketPolicy", bucket.policy).apply_removal_policy(RemovalPolicy.RETAIN)
    return bucket
