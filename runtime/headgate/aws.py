"""AWS clients for commands and the console, and what AWS says in one line.

Credentials, profiles, regions and endpoints are found as in every AWS tool.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import exceptions as faults
from botocore.config import Config

from headgate import regions
from headgate.clients import code_of, own_session, region_given
from headgate.errors import AwsError, UsageError, one_line

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


def kinesis_client(region: str | None, *, connections: int = 10) -> "KinesisClient":
    """Return a client for Kinesis.

    Args:
        region: the region; None for the environment's or the profile's.
        connections: how many threads use it at once.

    Raises:
        UsageError: the profile or the region is missing or cannot be.
    """
    client: KinesisClient = _client("kinesis", region, connections)
    return client


def cloudwatch_client(region: str | None) -> Any:
    """Return a client for CloudWatch; `region` and errors are those of `kinesis_client`."""
    return _client("cloudwatch", region, connections=1)


def _client(service: Any, region: str | None, connections: int) -> Any:
    config = Config(connect_timeout=5, read_timeout=20, max_pool_connections=connections)
    own = own_session()
    try:
        session = boto3.Session(botocore_session=own, region_name=region_given(own, region))
        return session.client(service, config=config)
    except (faults.InvalidRegionError, ValueError) as error:
        raise UsageError(one_line(error)) from None


@contextmanager
def aws_faults_in_one_line(stream_name: str, region: str) -> Iterator[None]:
    """Turn what boto3 raises inside into an error of ours that names the stream or the region.

    Raises:
        AwsError: AWS refused, or could not be reached.
    """
    try:
        yield
    except faults.ClientError as error:
        code = code_of(error)
        said = one_line(error.response.get("Error", {}).get("Message", "") or error)
        if code == "ResourceNotFoundException":
            raise AwsError(
                f"no stream {stream_name!r} in {region}: {said}; check the name and --region"
            ) from None
        raise AwsError(f"reading {stream_name!r} in {region}: {code}: {said}") from None
    except (faults.NoCredentialsError, faults.PartialCredentialsError) as error:
        raise AwsError(
            f"{one_line(error)}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in"
        ) from None
    except (faults.HTTPClientError, faults.ConnectionError) as error:
        raise AwsError(f"{one_line(error)}{_region_hint(region)}") from None
    except faults.BotoCoreError as error:
        raise AwsError(one_line(error)) from None


def _region_hint(region: str) -> str:
    known = regions.listed(botocore.session.get_session())
    if region in known:
        return ""
    near = " or ".join(map(repr, regions.near(region, known)))
    return f"; no region {region!r} is known" + (f" (did you mean {near}?)" if near else "")
