"""The bucket for what every user was last told, which the next sync compares with."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.private_bucket import private_bucket

PREFIX = "audiences/"
"""Where in the bucket the state is."""

ACCESS_LOGS = "access-logs/"


def state_bucket(scope: Construct, construct_id: str) -> s3.Bucket:
    """Return a new bucket for state, which stays when its stack goes.

    Without the state every user of every audience is sent anew. What a sync replaced can be brought back for
    a month. S3 writes the bucket's access logs beside it, for 90 days.
    """
    return private_bucket(
        scope,
        construct_id,
        access_logs=ACCESS_LOGS,
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=Duration.days(30),
                expired_object_delete_marker=True,
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            s3.LifecycleRule(prefix=ACCESS_LOGS, expiration=Duration.days(90)),
        ],
    )
