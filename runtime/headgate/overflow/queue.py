"""An SQS queue as this room uses it: messages sent, received, hidden and deleted.

boto3's client blocks, so its calls run in threads. How long a call may take is bounded here and not left to
the client's own retries: a request waits for the answer.
"""

import asyncio
import itertools
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate import backoff
from headgate.clients import client, own_region
from headgate.errors import UsageError, one_line
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

BATCH_ENTRIES, BATCH_BYTES = 10, 1_048_576
"""What SQS takes in one batch (SendMessageBatch, SQS API reference)."""
LONGEST_POLL_SECONDS = 20
"""SQS' own limit of WaitTimeSeconds."""
CAUTIOUS_LIMIT = 262_144
"""MaximumMessageSize where it may not be asked: the default of every queue made before August 2025."""
RETENTION_SECONDS = 14 * 86_400.0
"""The longest that SQS keeps a message."""

_PARALLEL_CALLS = 8
_ATTRIBUTES_HOLD_SECONDS = 300.0
_REGION_IN_HOST = re.compile(r"(?:^|\.)(?:sqs(?:-fips)?\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")


class QueueFault(Exception):  # noqa: N818  # an answer, or none
    """SQS refused a call or did not answer; the code is its own or botocore's."""

    def __init__(self, code: str, message: str, *, passing: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.passing = passing
        """Whether the same call may succeed later with nothing mended."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received and is hidden from others for a while."""

    id: str
    """What SQS calls it, each time it is received."""
    body: str
    receipt: str
    """What names this receipt of it."""
    receives: int
    """How often it was received, this time included."""
    sent_at: float
    """When it was sent, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a queue says of itself, or what is assumed where it may not be asked."""

    limit: int = CAUTIOUS_LIMIT
    """The most bytes of one message."""
    retention: float = RETENTION_SECONDS
    """Seconds for which it keeps a message."""
    redrives: bool = False
    """Whether it has a RedrivePolicy."""


class Queue:
    """A standard queue, by its URL, with the credentials and the endpoint that AWS tools would use.

    Raises:
        UsageError: the URL is none of a standard queue, or no region is known.
    """

    def __init__(
        self,
        session: Session,
        url: str,
        metrics: Metrics | None = None,
        *,
        spread: Callable[[], float] = random.random,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.name = urlsplit(url).path.rpartition("/")[2]
        region = region_of(url) or own_region(session)
        if region is None:
            raise UsageError(f"no region in the queue's URL {url!r}; set AWS_REGION")
        self._quick = _client(session, region, read_timeout=4, connections=_PARALLEL_CALLS)
        self._polling = _client(session, region, read_timeout=LONGEST_POLL_SECONDS + 5, connections=1)
        self._threads = Threads(_PARALLEL_CALLS)
        self._polls = Threads(1)
        self._spread = spread
        self._now = now
        self._attributes = Attributes()
        self._ask_from = float("-inf")
        self._failures = (metrics or Metrics()).counter(names.QUEUE_FAILURES)

    async def attributes(self) -> Attributes:
        """Return what the queue says of itself; asked every five minutes, if at all permitted."""
        if self._now() >= self._ask_from:
            self._ask_from = self._now() + _ATTRIBUTES_HOLD_SECONDS
            wanted = ["MaximumMessageSize", "MessageRetentionPeriod", "RedrivePolicy"]
            try:
                answer = await self._call(self._quick, "get_queue_attributes", AttributeNames=wanted)
            except QueueFault as fault:
                self._log(logging.INFO, "the queue does not say what it takes", fault)
            else:
                said = answer.get("Attributes", {})
                self._attributes = Attributes(
                    int(said.get("MaximumMessageSize", CAUTIOUS_LIMIT)),
                    float(said.get("MessageRetentionPeriod", RETENTION_SECONDS)),
                    "RedrivePolicy" in said,
                )
        return self._attributes

    async def waiting(self) -> int | None:
        """Return about how many messages may be received; None where the queue does not say."""
        name = "ApproximateNumberOfMessages"
        try:
            answer = await self._call(self._quick, "get_queue_attributes", AttributeNames=[name])
        except QueueFault as fault:
            self._log(logging.INFO, "the queue does not say how many messages it has", fault)
            return None
        return int(answer.get("Attributes", {}).get(name, 0))

    async def send(self, bodies: Sequence[str], within: float) -> list[bool]:
        """Send messages, again where that may help; return of each whether the queue has it for sure.

        Args:
            bodies: each at most as long as the queue takes.
            within: seconds after which what is still open counts as not sent. It may have arrived.
        """
        entries = [{"MessageBody": body} for body in bodies]
        sizes = [len(body) for body in bodies]
        return await self._in_batches("send_message_batch", entries, within, sizes)

    async def receive(self, most: int, *, wait: int = LONGEST_POLL_SECONDS, hidden: int) -> list[Message]:
        """Return messages, none where there is none.

        Args:
            most: how many at most; SQS gives ten.
            wait: seconds to wait for the first, 20 at most.
            hidden: seconds for which nobody else receives them.

        Raises:
            QueueFault: SQS refused or did not answer.
        """
        try:
            answer = await self._call(
                self._polling,
                "receive_message",
                MaxNumberOfMessages=min(most, BATCH_ENTRIES),
                WaitTimeSeconds=wait,
                VisibilityTimeout=hidden,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        except QueueFault:
            self._failures.value += 1
            raise
        return [
            Message(
                each["MessageId"],
                each["Body"],
                each["ReceiptHandle"],
                int(each["Attributes"]["ApproximateReceiveCount"]),
                int(each["Attributes"]["SentTimestamp"]) / 1_000,
            )
            for each in answer.get("Messages", [])
        ]

    async def hide(self, receipts: Sequence[str], seconds: int, within: float = 10.0) -> list[bool]:
        """Hide messages for so many seconds from now, 0 to give them back; return of each whether it is."""
        entries = [{"ReceiptHandle": each, "VisibilityTimeout": seconds} for each in receipts]
        return await self._in_batches("change_message_visibility_batch", entries, within)

    async def delete(self, receipts: Sequence[str], within: float = 10.0) -> list[bool]:
        """Delete messages; return of each whether it is gone for sure."""
        entries = [{"ReceiptHandle": each} for each in receipts]
        return await self._in_batches("delete_message_batch", entries, within)

    async def _in_batches(
        self, operation: str, entries: Sequence[dict[str, Any]], within: float, sizes: Sequence[int] = ()
    ) -> list[bool]:
        done = [False] * len(entries)
        open_ = set(range(len(entries)))

        async def one(batch: Sequence[int]) -> None:
            numbered = [entries[index] | {"Id": str(index)} for index in batch]
            for index, fault in (await self._batch(operation, numbered)).items():
                done[index] = fault is None
                if fault is None or not fault.passing:
                    open_.discard(index)

        try:
            async with asyncio.timeout(within):
                for failures in itertools.count(1):
                    await asyncio.gather(*map(one, _batches(sorted(open_), sizes)))
                    if not open_:
                        break
                    await asyncio.sleep(backoff.seconds(failures, self._spread()))
        except TimeoutError:
            self._failures.value += 1
            log.warning("the queue did not take all in time", extra={"queue": self.name, "call": operation})
        return done

    async def _batch(
        self, operation: str, entries: Sequence[Mapping[str, Any]]
    ) -> dict[int, QueueFault | None]:
        """Return what became of each entry, by the number that is its Id."""
        try:
            answer = await self._call(self._quick, operation, Entries=entries)
        except QueueFault as fault:
            self._failures.value += 1
            self._log(logging.WARNING, "the queue cannot be used", fault)
            return {int(entry["Id"]): fault for entry in entries}
        failed = {
            int(each["Id"]): QueueFault(
                each["Code"], one_line(each.get("Message", "")), passing=not each["SenderFault"]
            )
            for each in answer.get("Failed", [])
        }
        if failed:
            self._failures.value += 1
            # A message may be too long because the queue's limit has changed.
            self._ask_from = float("-inf")
            self._log(
                logging.WARNING, "the queue refuses a part of what it was asked", next(iter(failed.values()))
            )
        # Only what SQS names is in: an answer that was cut off names nothing.
        named = {int(each["Id"]) for each in answer.get("Successful", [])}
        unknown = QueueFault("IncompleteAnswer", "SQS did not name every message", passing=True)
        return {
            number: None if number in named else failed.get(number, unknown)
            for number in (int(entry["Id"]) for entry in entries)
        }

    async def _call(self, sqs: "SQSClient", operation: str, **arguments: Any) -> dict[str, Any]:
        threads = self._polls if sqs is self._polling else self._threads
        try:
            return cast(
                "dict[str, Any]",
                await threads.run(lambda: getattr(sqs, operation)(QueueUrl=self.url, **arguments)),
            )
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise _fault(error) from None

    def _log(self, level: int, message: str, fault: QueueFault) -> None:
        log.log(level, message, extra={"queue": self.name, "code": fault.code, "reason": fault.message})


def region_of(url: str) -> str | None:
    """Return the region in a queue's URL; None where it names none, as those of emulators.

    Raises:
        UsageError: the URL is none of a standard queue.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.count("/") < 2:
        raise UsageError(
            f"{url!r} is no queue's URL; allowed: one such as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        )
    if parts.path.endswith(".fifo"):
        raise UsageError(f"{url!r} is a FIFO queue; allowed: a standard queue")
    found = _REGION_IN_HOST.search(parts.hostname)
    return (found[1] or found[2]) if found else None


def _client(session: Session, region: str, *, read_timeout: int, connections: int) -> "SQSClient":
    config = Config(
        connect_timeout=2,
        read_timeout=read_timeout,
        max_pool_connections=connections,
        retries={"total_max_attempts": 1},
    )
    return cast("SQSClient", client(session, "sqs", region_name=region, config=config))


def _batches(indices: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for index in indices:
        more = sizes[index] if sizes else 0
        if batch and (len(batch) == BATCH_ENTRIES or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += more
    if batch:
        yield batch


def _fault(error: ClientError | BotoCoreError | ResponseParserError) -> QueueFault:
    if not isinstance(error, ClientError):
        return QueueFault(type(error).__name__, one_line(error), passing=True)
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    code = said.get("Code", "")
    passing = status >= 500 or status == 429 or "hrottl" in code or code.endswith("OverLimit")
    return QueueFault(code, one_line(said.get("Message", "")), passing=passing)
