"""What can be known of a destination before its records: its shards, its largest record, its permissions.

All of it is advice. The three documented actions suffice for delivery, so each answer may also be "unknown":
where a role may not ask, where IAM is out of reach, where a condition needs a value that only a call has.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate.clients import client, code_of
from headgate.delivery.lanes import SLOTS
from headgate.delivery.permissions import PUTS, decision, simulate, stream_arn
from headgate.delivery.target import Target
from headgate.delivery.wire.faults import DENIED
from headgate.shards import list_shards
from headgate.threads import in_thread

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesis import KinesisClient

log = logging.getLogger(__name__)

_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "max_attempts": 2})
_SLOT_SIZE = 2**128 // SLOTS


@dataclass(frozen=True, slots=True)
class Found:
    """What a stream says of itself; empty or None where it may not be asked."""

    shard_of_slot: Mapping[int, str] = field(default_factory=dict)
    """The shard of each slot that lies in one shard as a whole."""
    max_record_kib: int | None = None


class Preflight:
    """Asks AWS with a destination's own credentials, off the event loop."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stream(self, target: Target, credentials: ReadOnlyCredentials) -> Found | None:
        """Return the stream's shards and its largest record, or None where the role may not ask."""
        return await in_thread(partial(self._stream, target, credentials))

    async def permissions(self, target: Target, credentials: ReadOnlyCredentials) -> dict[str, str]:
        """Return what SimulatePrincipalPolicy says of each action: allowed, denied or unknown."""
        if target.role_address is None:
            return dict.fromkeys(PUTS, "unknown")
        return await in_thread(partial(self._permissions, target, target.role_address, credentials))

    def _stream(self, target: Target, credentials: ReadOnlyCredentials) -> Found | None:
        kinesis = cast("KinesisClient", self._client("kinesis", target, credentials))
        try:
            shards = shards_of_slots(list_shards(kinesis, target.stream_name))
            summary = kinesis.describe_stream_summary(StreamName=target.stream_name)
        except ClientError as error:
            return None if code_of(error) in DENIED else Found()
        except (BotoCoreError, ResponseParserError):
            return Found()  # unknown for now; delivery learns the shards as it goes
        return Found(shards, summary["StreamDescriptionSummary"].get("MaxRecordSizeInKiB"))

    def _permissions(self, target: Target, role: str, credentials: ReadOnlyCredentials) -> dict[str, str]:
        iam = cast("IAMClient", self._client("iam", target, credentials))
        stream = stream_arn(role, target.region, target.stream_name)
        try:
            found = simulate(iam, role, PUTS, stream, target.region)
        except (ClientError, BotoCoreError, ResponseParserError):
            return dict.fromkeys(PUTS, "unknown")
        return {action: decision(found.get(action)) for action in PUTS}

    def _client(self, service: str, target: Target, credentials: ReadOnlyCredentials) -> Any:
        return client(
            self._session,
            service,
            region_name=target.region,
            config=_CONFIG,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
        )


def shards_of_slots(shards: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Return the open shard of each slot that lies in one shard as a whole.

    Args:
        shards: as ListShards describes them; one that was split or merged has an ending sequence number.
    """
    found: dict[int, str] = {}
    for shard in shards:
        if shard.get("SequenceNumberRange", {}).get("EndingSequenceNumber") is not None:
            continue
        first = int(shard["HashKeyRange"]["StartingHashKey"])
        last = int(shard["HashKeyRange"]["EndingHashKey"])
        for slot in range(-(-first // _SLOT_SIZE), (last + 1) // _SLOT_SIZE):
            found[slot] = shard["ShardId"]
    return found
