"""The questions that a check asks of AWS: one call each, and whatever comes of it is an answer."""

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate import regions
from headgate.checking.answers import Refused, RegionKnown, Written
from headgate.checking.put import PARTITION_KEY, MarkedEvent, same_event
from headgate.clients import client
from headgate.delivery.assuming import assume_role
from headgate.delivery.permissions import simulate
from headgate.errors import one_line

if TYPE_CHECKING:
    from headgate.checking.policies import Policy
    from headgate.checking.stream import Simulated, Summary

Result = TypeVar("Result")

_CONFIG = Config(connect_timeout=3, read_timeout=10)
_QUICK = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
"""For regions that are asked by the way; where there is no way to them, nobody waits long."""
_REGIONS_AT_ONCE = 16
_READ_BACK_SECONDS = 5.0
_READ_AGAIN_SECONDS = 0.2
_NO_CREDENTIALS = Refused("NoCredentials", "no AWS credentials", answered=False)


class Probes:
    """Asks in one region; None for credentials are the caller's own.

    Args:
        session: with the caller's credentials.
        region: where it asks.
        secret: a text that is in no message, whatever AWS says.
        config: how long an answer is waited for.
    """

    def __init__(
        self, session: Session, region: str, secret: str | None = None, config: Config = _CONFIG
    ) -> None:
        self._session = session
        self._region = region
        self._secret = secret
        self._config = config
        self._clients: dict[tuple[str, str | None], Any] = {}

    def region(self) -> RegionKnown:
        """Return what is known of the region."""
        listed = regions.listed(self._session)
        if self._region in listed:
            return RegionKnown(listed[self._region], listed=True)
        near = tuple(regions.near(self._region, listed))
        try:
            partition = self._session.get_partition_for_region(self._region)
        except UnknownRegionError:
            return RegionKnown(None, listed=False, near=near)
        return RegionKnown(partition, listed=False, near=near, resolves=self._resolves())

    def caller(self) -> str | Refused:
        """Return the ARN of whoever asks."""
        return self._ask(lambda: str(self._client("sts").get_caller_identity()["Arn"]))

    def assume(self, role: str, external_id: str | None) -> ReadOnlyCredentials | Refused:
        """Assume a role as the caller, as delivery does, and return its credentials."""
        return self._ask(lambda: assume_role(self._client("sts"), role, external_id)[0])

    def trust_policy(self, role_name: str, credentials: ReadOnlyCredentials | None) -> "Policy | Refused":
        """Return the trust policy of a role in the account of the credentials."""
        return self._ask(
            lambda: self._client("iam", credentials).get_role(RoleName=role_name)["Role"][
                "AssumeRolePolicyDocument"
            ]
        )

    def key_policy(self, key_arn: str, credentials: ReadOnlyCredentials | None) -> "Policy | Refused":
        """Return the policy of a key."""
        return self._ask(
            lambda: json.loads(self._client("kms", credentials).get_key_policy(KeyId=key_arn)["Policy"])
        )

    def role_arn(self, role_name: str) -> str | Refused:
        """Return the ARN, with its path, of a role in the caller's account."""
        return self._ask(lambda: str(self._client("iam").get_role(RoleName=role_name)["Role"]["Arn"]))

    def stream(self, stream_name: str, credentials: ReadOnlyCredentials | None) -> "Summary | Refused":
        """Return a stream's summary."""
        return self._ask(
            lambda: self._client("kinesis", credentials).describe_stream_summary(StreamName=stream_name)[
                "StreamDescriptionSummary"
            ]
        )

    def regions_with(self, stream_name: str, credentials: ReadOnlyCredentials | None) -> list[str]:
        """Return the other regions of the partition that show a stream of that name."""
        partition = self._session.get_partition_for_region(self._region)
        others = sorted(set(self._session.get_available_regions("kinesis", partition)) - {self._region})

        def shows(region: str) -> bool:
            there = Probes(self._session, region, config=_QUICK).stream(stream_name, credentials)
            return not isinstance(there, Refused)

        with ThreadPoolExecutor(_REGIONS_AT_ONCE) as threads:
            found = zip(others, threads.map(shows, others), strict=True)
            return [region for region, shown in found if shown]

    def simulate(
        self,
        principal: str,
        actions: Sequence[str],
        resource: str,
        credentials: ReadOnlyCredentials | None,
        more: Mapping[str, str] | None = None,
    ) -> "Simulated | Refused":
        """Return what IAM says that a role or user may do."""
        return self._ask(
            lambda: simulate(
                self._client("iam", credentials), principal, actions, resource, self._region, more
            )
        )

    def put_records(
        self, stream_name: str, event: MarkedEvent, credentials: ReadOnlyCredentials | None, *, dry_run: bool
    ) -> Written | Refused:
        """Put the event with PutRecords; with DryRun, where it is asked for and this botocore knows it."""

        def put() -> Written | Refused:
            kinesis = self._client("kinesis", credentials)
            records = [{"Data": event.data, "PartitionKey": PARTITION_KEY}]
            answer = kinesis.put_records(
                StreamName=stream_name, Records=records, **_dry(kinesis, "PutRecords", asked=dry_run)
            )["Records"][0]
            if answer.get("ErrorCode"):
                return Refused(answer["ErrorCode"], one_line(answer.get("ErrorMessage", "")))
            return Written(answer["ShardId"], answer["SequenceNumber"])

        return self._ask(put)

    def put_record(
        self, stream_name: str, event: MarkedEvent, credentials: ReadOnlyCredentials | None
    ) -> Written | Refused:
        """Put the event with PutRecord; with DryRun, where this botocore knows it."""

        def put() -> Written:
            kinesis = self._client("kinesis", credentials)
            answer = kinesis.put_record(
                StreamName=stream_name,
                Data=event.data,
                PartitionKey=PARTITION_KEY,
                **_dry(kinesis, "PutRecord", asked=True),
            )
            return Written(answer["ShardId"], answer["SequenceNumber"])

        return self._ask(put)

    def read_back(
        self, stream_name: str, event: MarkedEvent, where: Written, credentials: ReadOnlyCredentials | None
    ) -> bool | Refused:
        """Return whether the event is where Kinesis said; a record can be read a moment after it was put."""

        def read() -> bool:
            kinesis = self._client("kinesis", credentials)
            at = kinesis.get_shard_iterator(
                StreamName=stream_name,
                ShardId=where.shard_id,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                StartingSequenceNumber=where.sequence_number,
            )["ShardIterator"]
            deadline = time.monotonic() + _READ_BACK_SECONDS
            while at is not None and time.monotonic() < deadline:
                page = kinesis.get_records(ShardIterator=at, Limit=10)
                if any(same_event(event, record) for record in page["Records"]):
                    return True
                at = page.get("NextShardIterator")
                time.sleep(_READ_AGAIN_SECONDS)
            return False

        return self._ask(read)

    def _ask(self, call: Callable[[], Result]) -> Result | Refused:
        try:
            return call()
        except _NobodyToAskAsError:
            return _NO_CREDENTIALS
        except ClientError as error:
            said = error.response.get("Error", {})
            return Refused(said.get("Code", "Unknown"), self._clean(said.get("Message", "")))
        except ResponseParserError:
            return Refused("NoAnswerOfAws", "the answer is none of AWS")
        except (BotoCoreError, ValueError) as error:
            return Refused(type(error).__name__, self._clean(error), answered=False)

    def _clean(self, said: object) -> str:
        text = one_line(said)
        return text.replace(self._secret, "...") if self._secret else text

    def _client(self, service: str, credentials: ReadOnlyCredentials | None = None) -> Any:
        key = (service, credentials.access_key if credentials else None)
        if key not in self._clients:
            given = {}
            if credentials is not None:
                given = {
                    "aws_access_key_id": credentials.access_key,
                    "aws_secret_access_key": credentials.secret_key,
                    "aws_session_token": credentials.token,
                }
            elif self._session.get_credentials() is None:
                raise _NobodyToAskAsError
            self._clients[key] = client(
                self._session, service, region_name=self._region, config=self._config, **given
            )
        return self._clients[key]

    def _resolves(self) -> bool | None:
        made = self._ask(lambda: self._client("kinesis"))
        if isinstance(made, Refused):
            return None
        try:
            socket.getaddrinfo(urlsplit(made.meta.endpoint_url).hostname, None)
        except socket.gaierror as error:
            return False if error.errno == socket.EAI_NONAME else None
        return True


class _NobodyToAskAsError(Exception):
    """There are no credentials; a client made without would never find any."""


def _dry(kinesis: Any, operation: str, *, asked: bool) -> dict[str, bool]:
    known = kinesis.meta.service_model.operation_model(operation).input_shape.members
    return {"DryRun": True} if asked and "DryRun" in known else {}
