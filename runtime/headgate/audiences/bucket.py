"""An S3 bucket as this room uses it: documents put on conditions, files up and down, and keys listed."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate.clients import client, code_of, own_region
from headgate.errors import AwsError, HeadgateError, UsageError, one_line

SCHEME = "s3://"

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})
# To put on the condition that something is there answers 404 where it is gone, and 409 beside another put.
_CONDITION_FAILED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}
_ABSENT = {"NoSuchKey", "404"}


class ConditionFailed(Exception):  # noqa: N818  # an answer
    """The object is not what the put was to replace."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object that was read."""

    content: bytes
    etag: str
    age: float
    """Seconds since it was written, by S3's own clock."""


def split_location(location: str, option: str) -> tuple[str, str]:
    """Return bucket and key of `s3://BUCKET/KEY`; the key may be empty.

    Raises:
        UsageError: no bucket can have that name.
    """
    bucket, _, key = location.removeprefix(SCHEME).partition("/")
    if not _NAME.fullmatch(bucket):
        raise UsageError(f"{option} is {location!r}; allowed: {SCHEME}BUCKET/PREFIX with a bucket's name")
    return bucket, key


class Bucket:
    """One bucket, with the credentials and the endpoint that AWS tools would use."""

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        try:
            found = session.get_credentials()
            self._s3: Any = client(session, "s3", region_name=own_region(session), config=_CONFIG)
        except BotoCoreError as error:
            raise UsageError(one_line(error)) from None
        if found is None:
            raise AwsError(
                f"{SCHEME}{name}: no AWS credentials: give the task a role, or set AWS_PROFILE or "
                "AWS_ACCESS_KEY_ID"
            )

    def get(self, key: str) -> Found | None:
        """Return an object, or None where there is none.

        Raises:
            AwsError: S3 refused, or could not be reached.
        """
        with self._faults(key):
            try:
                answer = self._s3.get_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
            content = answer["Body"].read()
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            return Found(content, answer["ETag"], (now - answer["LastModified"]).total_seconds())

    def put(self, key: str, content: bytes, replacing: str | None) -> str:
        """Put an object if nothing else did since; return its ETag.

        Args:
            key: the object's key.
            content: what nobody else would write; where an answer was lost, it tells whose object is there.
            replacing: the ETag of what is there; None for nothing.

        Raises:
            ConditionFailed: something else is there.
            AwsError: S3 refused, or could not be reached.
        """
        condition = {"IfNoneMatch": "*"} if replacing is None else {"IfMatch": replacing}
        with self._faults(key):
            try:
                answer = self._s3.put_object(Bucket=self.name, Key=key, Body=content, **condition)
            except ClientError as error:
                if code_of(error) not in _CONDITION_FAILED:
                    raise
            else:
                etag: str = answer["ETag"]
                return etag
        # An earlier try may have been what this one met: botocore sends a put again whose answer was lost.
        found = self.get(key)
        if found is not None and found.content == content:
            return found.etag
        raise ConditionFailed(key)

    def upload(self, key: str, file: Path) -> None:
        """Put a file, in parts where it is large.

        Raises:
            AwsError: S3 refused, or could not be reached.
        """
        from boto3.s3.transfer import S3Transfer

        with self._faults(key):
            S3Transfer(self._s3).upload_file(str(file), self.name, key)

    def download(self, key: str, to: Path) -> None:
        """Write an object into a file.

        Raises:
            AwsError: there is none, S3 refused, or could not be reached.
        """
        from boto3.s3.transfer import S3Transfer

        with self._faults(key):
            S3Transfer(self._s3).download_file(self.name, key, str(to))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with a prefix, in their order.

        Raises:
            AwsError: S3 refused, or could not be reached.
        """
        with self._faults(prefix):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                yield from (each["Key"] for each in page.get("Contents", ()))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is no fault.

        Raises:
            AwsError: S3 refused, or could not be reached.
        """
        for key in keys:
            with self._faults(key):
                self._s3.delete_object(Bucket=self.name, Key=key)

    @contextmanager
    def _faults(self, key: str) -> Iterator[None]:
        """Turn what boto3 raises inside into one line that names the object."""
        from boto3.exceptions import Boto3Error

        at = f"{SCHEME}{self.name}/{key}"
        try:
            yield
        except ClientError as error:
            code = code_of(error)
            if code in _ABSENT:
                raise AwsError(f"{at}: there is no such object") from None
            said = one_line(error.response.get("Error", {}).get("Message", ""))
            raise AwsError(f"{at}: {code}: {said}") from None
        except (BotoCoreError, ResponseParserError, Boto3Error) as error:
            raise AwsError(f"{at}: {one_line(error)}") from None
        except OSError as fault:
            raise HeadgateError(f"{fault.filename or at}: {(fault.strerror or str(fault)).lower()}") from None
