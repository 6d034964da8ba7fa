"""The bucket for access logs and flow logs."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.private_bucket import private_bucket

KEPT = Duration.days(90)


def log_bucket(scope: Construct, construct_id: str) -> s3.Bucket:
    """Return a new bucket for logs, which stays when its stack goes and empties itself in 90 days."""
    return private_bucket(
        scope,
        construct_id,
        access_logs="bucket/",
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=KEPT,
                noncurrent_version_expiration=Duration.days(1),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        ],
    )
