"""Delivery as the rest sees it: take these records, say when they are safe."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from botocore.session import Session

from headgate.delivery.credentials import CredentialsCache, Grant
from headgate.delivery.queue import DestinationQueue
from headgate.delivery.submission import Outcome, Record, Refusal, Submission
from headgate.delivery.wire import Endpoints, PutRecords
from headgate.metrics.store import Metrics
from headgate.status.report import DestinationStatus, merged_destination


@dataclass(frozen=True, slots=True)
class Target:
    """A destination as delivery knows it; equal targets share a queue."""

    source_id: str
    region: str
    stream_name: str
    role_address: str | None
    external_id: str
    strict: bool = False
    """Whether a key's records never share a request, so that nothing can reorder them."""

    @property
    def name(self) -> str:
        """How logs and metrics call it."""
        return f"{self.source_id}/{self.stream_name}"


@dataclass(frozen=True, slots=True)
class Data:
    """A record to be: its partition key, its data, and the index of its event in the request."""

    partition_key: str
    data: bytes
    index: int


class Refused(Exception):  # noqa: N818  # an answer to the client
    """A request is not taken: nothing of it is queued."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Delivery:
    """All destinations of one process."""

    def __init__(
        self, session: Session, http: aiohttp.ClientSession, *, acknowledge_within: float, metrics: Metrics
    ) -> None:
        self._metrics = metrics
        self._credentials = CredentialsCache(session)
        self._endpoints = Endpoints(session)
        self._put_records = PutRecords(http)
        self._acknowledge_within = acknowledge_within
        self._queues: dict[Target, DestinationQueue] = {}
        self._open: dict[Submission, asyncio.TimerHandle] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        """Queue a request's records, all of them or none.

        Args:
            portions: the records for each destination; one at least.
            on_settled: called once, with what became of them, within the acknowledgement deadline.

        Raises:
            Refused: a destination is paused or full; nothing is queued.
        """
        queues = {target: self._queue(target) for target in portions}
        for target, queue in queues.items():
            size = sum(len(data.data) + len(data.partition_key.encode()) for data in portions[target])
            if (refusal := queue.refusal(size)) is not None:
                raise Refused(refusal)
        submission = Submission(lambda outcome: self._closed(submission, outcome, on_settled))
        submission.open_records = sum(len(data) for data in portions.values())
        timer = asyncio.get_running_loop().call_later(self._acknowledge_within, self._late, submission)
        self._open[submission] = timer
        self._idle.clear()
        for target, queue in queues.items():
            queue.put([Record(d.partition_key, d.data, submission, d.index) for d in portions[target]])

    def status(self) -> dict[str, DestinationStatus]:
        """Return how each destination that was written to is doing, by its name."""
        by_name: dict[str, list[DestinationStatus]] = {}
        for queue in self._queues.values():
            by_name.setdefault(queue.name, []).append(queue.status())
        return {name: merged_destination(statuses) for name, statuses in by_name.items()}

    async def settle_all(self) -> None:
        """Wait until no request is open: at most the acknowledgement deadline."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stop every queue."""
        await asyncio.gather(*(queue.close() for queue in self._queues.values()))

    def _queue(self, target: Target) -> DestinationQueue:
        if target not in self._queues:
            self._queues[target] = DestinationQueue(
                name=target.name,
                stream_name=target.stream_name,
                strict=target.strict,
                grant=Grant(target.role_address, target.external_id, target.region),
                credentials=self._credentials,
                endpoints=self._endpoints,
                put_records=self._put_records,
                metrics=self._metrics,
            )
        return self._queues[target]

    def _late(self, submission: Submission) -> None:
        for queue in self._queues.values():
            queue.withdraw(submission)
        submission.fail(Refusal("deadline", "Kinesis has not taken every event in time; send again", 5))

    def _closed(
        self, submission: Submission, outcome: Outcome, on_settled: Callable[[Outcome], None]
    ) -> None:
        self._open.pop(submission).cancel()
        if not self._open:
            self._idle.set()
        on_settled(outcome)
