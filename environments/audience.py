"""The type of one of an environment file's `[[audiences]]`."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Audience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An audience, or with value_column a computed trait, that is synced on a schedule."""

    name: Annotated[str, Meta(min_length=1, description="Its name, of which the key of its trait is made.")]
    members: Annotated[
        str,
        Meta(description="Where its members are, or its values: s3://BUCKET/KEY, or s3://BUCKET/PREFIX/."),
    ]
    members_key_arn: Annotated[
        str | None, Meta(description="That bucket's customer managed key, if it has one.")
    ] = None
    source_id: Annotated[str, Meta(min_length=1, description="The source whose destinations get the calls.")]
    schedule: Annotated[str, Meta(description="rate(1 hour), or six fields as cron(0 6 * * ? *).")]
    time_zone: Annotated[str, Meta(description="Of a cron schedule, as Europe/Berlin.")] = "UTC"
    id_column: Annotated[str, Meta(description="The column of the user IDs.")] = "user_id"
    anonymous_id_column: Annotated[
        str | None, Meta(description="The column of anonymous IDs, which get calls of their own.")
    ] = None
    value_column: Annotated[
        str | None, Meta(description="The column of the values: it is a computed trait then.")
    ] = None
    max_records_per_second: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="At most so many calls a second. Default: what the shards take."),
    ] = None
    max_removed: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(description="The share of its members that may leave in one sync. Default: the command's own."),
    ] = None
    cpu: Annotated[int, Meta(description="Of the task, in units of 1/1,024 vCPU, as Fargate has them.")] = (
        1024
    )
    memory_mib: Annotated[int, Meta(description="Of the task, as Fargate has it for that cpu.")] = 2048
    ephemeral_storage_gib: Annotated[
        Annotated[int, Meta(ge=21, le=200)] | None, Meta(description="The task's disk. Default: 20 GiB.")
    ] = None
    enabled: Annotated[bool, Meta(description="Whether the schedule is on.")] = True
    stale_after_hours: Annotated[
        Annotated[int, Meta(ge=0, le=168)] | None,
        Meta(
            description="Hours without a sync that are too many; 0 for no alarm. Default: twice a rate, "
            "and one; a cron schedule needs it."
        ),
    ] = None
