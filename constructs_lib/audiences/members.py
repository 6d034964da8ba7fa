"""Where the members of an audience are, and which objects that is to S3."""

import re
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_kms as kms

from constructs_lib.checks import known

# A key may hold almost anything; these have a meaning of their own in a policy's resource.
_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^${}]{1,1024}")
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True, slots=True)
class AudienceMembers:
    """The files with an audience's members, or with a trait's values, in S3.

    Attributes:
        location: `s3://BUCKET/KEY` for one object, `s3://BUCKET/PREFIX/` for all below a prefix, or with `*`,
            `?` or `[...]` for those that match.
        encryption_key: the bucket's customer managed key, if it has one.

    Raises:
        ValueError: `location` is no such place.
    """

    location: str
    encryption_key: kms.IKey | None = None

    def __post_init__(self) -> None:
        if known(self.location) and not _LOCATION.fullmatch(self.location):
            raise ValueError(
                f"location: {self.location!r} is not allowed; it is one object, s3://exports/buyers.parquet, "
                "or all below a prefix, s3://exports/buyers/"
            )

    @property
    def bucket_arn(self) -> str:
        """The bucket's ARN."""
        return f"arn:{Aws.PARTITION}:s3:::{self._parts[0]}"

    @property
    def objects_arn(self) -> str:
        """The objects' ARN, for a policy: as narrow as their location is."""
        prefix = self.listed_prefix
        return f"{self.bucket_arn}/{self._parts[1] if prefix is None else f'{prefix}*'}"

    @property
    def listed_prefix(self) -> str | None:
        """What the bucket is listed by; `None` for one object, which is named."""
        path = self._parts[1]
        if wildcard := _WILDCARD.search(path):
            return path[: wildcard.start()]
        return path if path.endswith("/") else None

    @property
    def _parts(self) -> tuple[str, str]:
        """The bucket and the key. A bucket's name may be a token, whose text has no slash."""
        bucket, _, path = self.location.removeprefix("s3://").partition("/")
        return bucket, path
