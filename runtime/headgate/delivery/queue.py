"""The queue of one destination: first in, first out, one PutRecords at a time.

One request in flight and failed records back at the front keep the order of every partition key through
retries; inside one PutRecords Kinesis gives no order.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence

from headgate.delivery.answers import Entry, Fault, Verdict
from headgate.delivery.credentials import CredentialsCache, CredentialsFault, Grant
from headgate.delivery.packer import MAX_RECORDS, pack
from headgate.delivery.submission import Record, Refusal, Submission
from headgate.delivery.wire import Endpoints, PutRecords
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.status.report import DestinationStatus, Pause

log = logging.getLogger(__name__)

LINGER_SECONDS = 0.005
"""How long a record waits for company."""
MAX_HELD_BYTES = 32 * 1024 * 1024
"""Bytes that one destination holds before it asks its clients to wait."""
THROTTLED = "ProvisionedThroughputExceededException"
"""The code of a record that its shard had no room for."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.1, 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 30.0


class DestinationQueue:
    """Delivers the records of one destination, in order, until each is settled."""

    def __init__(
        self,
        *,
        name: str,
        stream_name: str,
        strict: bool,
        grant: Grant,
        credentials: CredentialsCache,
        endpoints: Endpoints,
        put_records: PutRecords,
        metrics: Metrics,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._stream_name = stream_name
        self._strict = strict
        self._grant = grant
        self._credentials = credentials
        self._endpoints = endpoints
        self._put_records = put_records
        self._spread = spread
        self._waiting: deque[Record] = deque()
        self._held_bytes = 0
        self._work = asyncio.Event()
        self._pause: Refusal | None = None
        self._pause_reason = ""
        self._paused_until = 0.0
        self._pause_seconds = 0.0
        self._backoff = 0.0
        # Requests are halved down to this many records while one that is invalid is looked for.
        self._most = MAX_RECORDS
        self._delivered = metrics.counter(names.DELIVERED_RECORDS, name)
        self._retried = metrics.counter(names.RETRIED_RECORDS, name)
        self._throttled = metrics.counter(names.THROTTLED_RECORDS, name)
        self._undeliverable = metrics.counter(names.UNDELIVERABLE_RECORDS, name)
        self._put_latency = metrics.distribution(names.PUT_LATENCY, name)
        metrics.gauge(names.HELD_BYTES, name, lambda: self._held_bytes)
        metrics.gauge(names.PAUSED, name, lambda: self._pause is not None)
        self._task = asyncio.create_task(self._run())

    def status(self) -> DestinationStatus:
        """Return how the destination is doing."""
        pause = Pause(self._pause.code, self._pause_reason) if self._pause is not None else None
        return DestinationStatus(
            endpoint=self._endpoints.of(self._grant.region).url, wire="json", paused=pause
        )

    def refusal(self, size: int) -> Refusal | None:
        """Return why `size` more bytes cannot be queued now; None when they can."""
        left = self._paused_until - asyncio.get_running_loop().time()
        if self._pause is not None and (left > 0 or self._waiting):
            return Refusal(self._pause.code, self._pause.message, max(1, round(left)))
        if self._held_bytes + size > MAX_HELD_BYTES:
            return Refusal("destination_full", f"{self.name} holds all it may; send again later", 5)
        return None

    def put(self, records: Sequence[Record]) -> None:
        """Queue records; each will be settled with its submission."""
        self._waiting.extend(records)
        self._held_bytes += sum(record.size for record in records)
        self._work.set()

    def withdraw(self, submission: Submission) -> None:
        """Take what is not in flight of a submission out of the queue."""
        kept = deque(record for record in self._waiting if record.submission is not submission)
        self._held_bytes -= sum(r.size for r in self._waiting if r.submission is submission)
        self._waiting = kept

    async def close(self) -> None:
        """Stop delivering; what is queued is not settled any more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._work.clear()
                await self._work.wait()
                await asyncio.sleep(LINGER_SECONDS)
            request = pack(self._waiting, at_most=self._most, strict=self._strict)
            if not request:
                continue
            try:
                answer = await self._send(request)
            except Exception as error:  # a defect of ours must not end the delivery of this destination
                log.exception("a request failed in a way nobody foresaw", extra={"destination": self.name})
                answer = Fault(Verdict.RETRY, type(error).__name__, str(error))
            if isinstance(answer, Fault):
                self._after_fault(request, answer)
            else:
                self._after_answer(request, answer)
            if self._backoff:
                await asyncio.sleep(self._backoff * (0.5 + self._spread() / 2))

    async def _send(self, request: list[Record]) -> list[Entry] | Fault:
        try:
            credentials = await self._credentials.get(self._grant)
        except CredentialsFault as error:
            return error.fault
        endpoint = self._endpoints.of(self._grant.region)
        now = asyncio.get_running_loop().time
        begun = now()
        answer = await self._put_records.send(endpoint, credentials, self._stream_name, request)
        self._put_latency.observe((now() - begun) * 1000)
        return answer

    def _after_answer(self, request: list[Record], entries: list[Entry]) -> None:
        self._resume()
        self._most = MAX_RECORDS
        failed = []
        for record, entry in zip(request, entries, strict=True):
            if entry.error_code is None:
                self._delivered.value += 1
                self._settled(record)
                record.submission.settle()
            else:
                self._throttled.value += entry.error_code == THROTTLED
                failed.append(record)
        self._back_to_front(failed)
        self._backoff = self._longer_backoff() if failed else 0.0

    def _after_fault(self, request: list[Record], fault: Fault) -> None:
        if fault.verdict is Verdict.PAUSE:
            self._pause_for(fault)
            for record in (*request, *self._waiting):
                record.submission.fail(self._pause or Refusal(fault.code, fault.message, 1))
            self._waiting.clear()
            self._held_bytes = 0
            return
        if fault.verdict is Verdict.SPLIT:
            self._split(request, fault)
            return
        if fault.verdict is Verdict.REFRESH:
            self._credentials.forget(self._grant)
        self._back_to_front(request)
        first = not self._backoff
        self._backoff = self._longer_backoff()
        if first:
            log.warning("a request failed; it is sent again until it succeeds", extra=self._said_of(fault))

    def _split(self, request: list[Record], fault: Fault) -> None:
        if len(request) > 1:
            self._back_to_front(request)
            self._most = len(request) // 2
            return
        self._most = MAX_RECORDS
        self._settled(request[0])
        self._undeliverable.value += 1
        log.error("Kinesis will never take this record", extra=self._said_of(fault))
        request[0].submission.undeliverable(
            request[0].index, Refusal("undeliverable", f"{fault.code}: {fault.message}")
        )

    def _back_to_front(self, records: list[Record]) -> None:
        """Put failed records back where they were, but for those whose request is answered already."""
        for record in reversed(records):
            if record.submission.told:
                self._settled(record)
            else:
                self._retried.value += 1
                self._waiting.appendleft(record)

    def _settled(self, record: Record) -> None:
        self._held_bytes -= record.size

    def _longer_backoff(self) -> float:
        return min(max(self._backoff * 2, FIRST_BACKOFF_SECONDS), LONGEST_BACKOFF_SECONDS)

    def _pause_for(self, fault: Fault) -> None:
        first = self._pause is None or self._pause.code != fault.code
        self._backoff = 0.0
        self._pause_seconds = min(max(self._pause_seconds * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._paused_until = asyncio.get_running_loop().time() + self._pause_seconds
        self._pause_reason = fault.message
        self._pause = Refusal(
            fault.code,
            f"the destination {self.name} is paused: {fault.code}",
            max(1, round(self._pause_seconds)),
        )
        if first:
            log.error("the destination is paused until this is mended", extra=self._said_of(fault))

    def _resume(self) -> None:
        if self._pause is not None:
            self._pause, self._pause_seconds = None, 0.0
            log.info("the destination takes records again", extra={"destination": self.name})

    def _said_of(self, fault: Fault) -> dict[str, object]:
        return {
            "destination": self.name,
            "region": self._grant.region,
            "stream": self._stream_name,
            "role": self._grant.role_address,
            "code": fault.code,
            "reason": fault.message,
        }
