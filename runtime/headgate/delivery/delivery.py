"""Delivery as the rest sees it: take these records, say when they are safe."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from headgate.delivery.admission import Admitted
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache, CredentialsFault
from headgate.delivery.deadlines import GRAIN_SECONDS, Deadlines
from headgate.delivery.destination import Destination
from headgate.delivery.hooks import Hooks
from headgate.delivery.lanes import Held
from headgate.delivery.preflight import Preflight
from headgate.delivery.refuge import DeadLetters, Overflow
from headgate.delivery.rescue import Rescue
from headgate.delivery.submission import Outcome, Record, Refusal, Submission
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.status.report import DestinationStatus, merged_destination

log = logging.getLogger(__name__)

RELIST_SECONDS = 10.0
"""Between two looks at a stream's shards: ListShards is for everybody in the account."""
LATE = Refusal("deadline", "Kinesis has not taken every event in time; send again", 5)
FULL = Refusal("memory_full", "the forwarder holds all it may; send again later", 5)
STOPPING = Refusal("stopping", "this task is being stopped; send again", 1)


class Refused(Exception):  # noqa: N818  # an answer to the client
    """A request is not taken: nothing of it is queued."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Delivery:
    """All destinations of one process."""

    def __init__(
        self,
        wire: Wire,
        credentials: CredentialsCache,
        preflight: Preflight | None = None,
        settings: DeliverySettings | None = None,
        metrics: Metrics | None = None,
        overflow: Overflow | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._wire = wire
        self._credentials = credentials
        self._preflight = preflight
        self._settings = settings or DeliverySettings()
        self._held = Held()
        self._destinations: dict[Target, Destination] = {}
        self._open = Deadlines(self._settings.acknowledge_within)
        self._idle = asyncio.Event()
        self._idle.set()
        self._clock = asyncio.get_running_loop().time
        self._rescue = Rescue(overflow, dead_letters, self._count_undeliverable)
        self._hooks = Hooks(
            denied=lambda destination: self._start(self._advise(destination)),
            resharded=lambda destination: self._start(self._look(destination)),
            stranded=self._rescue.strand,
            undeliverable=self._undeliverable,
        )
        self._leaving: set[Target] = set()
        # From when on each stream's shards may be looked at again.
        self._look_from: dict[Target, float] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._start(self._watch_deadlines())

    def submit(
        self, portions: Mapping[Target, Sequence[Data]], on_settled: Callable[[Outcome], None]
    ) -> None:
        """Queue a request's records, all of them or none.

        Args:
            portions: the records for each destination; one at least.
            on_settled: called once, with what became of them, within the acknowledgement deadline; for a
                request of which no record can ever be delivered, before this returns.

        Raises:
            Refused: a destination is paused or full; nothing is queued.
        """
        submission = Submission(on_settled, self._clock(), self._closed)
        queued, spilled = self._admit(submission, portions)
        if not self._open:
            self._idle.clear()
        self._open[submission] = None
        self._take(submission, queued, spilled)

    def drain(self, target: Target, portion: Sequence[Data], on_settled: Callable[[Outcome], None]) -> None:
        """Queue records that come out of overflow: they have no deadline, and never go there again.

        Args:
            target: where they are bound for.
            portion: the records.
            on_settled: called once, with what became of them; as in `submit`.

        Raises:
            Refused: the destination is paused or full; nothing is queued.
        """
        submission = Submission(on_settled, self._clock(), drained=True)
        self._take(submission, *self._admit(submission, {target: portion}))

    def accepts(self, target: Target) -> bool:
        """Return whether records out of overflow may be put into a destination now."""
        return self._destination(target).accepts()

    def accepting(self) -> bool:
        """Return whether any destination may take records out of overflow: not while all are paused."""
        destinations = self._destinations.values()
        return not destinations or any(each.pause.fault is None or each.accepts() for each in destinations)

    def hurry(self) -> None:
        """Wait no longer for Kinesis: spill what is open, or have its clients send it again."""
        for submission in list(self._open):
            self._rescue.strand(submission, STOPPING)

    async def prepare(self, targets: Iterable[Target]) -> None:
        """Make destinations ready before their first request: credentials, shards, permissions.

        What AWS refuses or does not answer is left to the first request, which says so.
        """
        await asyncio.gather(*(self._get_to_know(self._destination(target)) for target in targets))

    def retain(self, targets: AbstractSet[Target]) -> None:
        """Let go of the destinations that are not among `targets`, each once it holds nothing any more."""
        self._leaving = self._destinations.keys() - targets

    def status(self) -> dict[str, DestinationStatus]:
        """Return how each destination is doing, by its name."""
        by_name: dict[str, list[DestinationStatus]] = {}
        for destination in self._destinations.values():
            by_name.setdefault(destination.name, []).append(destination.status())
        return {name: merged_destination(statuses) for name, statuses in by_name.items()}

    async def settle_all(self) -> None:
        """Wait until no request is open: at most the acknowledgement deadline."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stop every destination; what is held is not settled any more."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(
            *self._background, *(each.close() for each in self._destinations.values()), return_exceptions=True
        )

    def _destination(self, target: Target) -> Destination:
        # A request that was read by the settings before may still come for one that leaves.
        destination = self._destinations.get(target)
        if destination is None:
            destination = self._destinations[target] = Destination(
                target,
                settings=self._settings,
                held=self._held,
                credentials=self._credentials,
                wire=self._wire,
                hooks=self._hooks,
                metrics=self._metrics,
            )
        return destination

    def _admit(
        self, submission: Submission, portions: Mapping[Target, Sequence[Data]]
    ) -> tuple[list[tuple[Destination, Admitted]], list[tuple[Target, Sequence[Data]]]]:
        """Return which parts of a request are to be queued, and which to be spilled; nothing is done yet."""
        queued, spilled = [], []
        size = 0
        for target, portion in portions.items():
            destination = self._destinations.get(target) or self._destination(target)
            admitted = destination.admit(submission, portion)
            if isinstance(admitted, Admitted):
                queued.append((destination, admitted))
                size += admitted.size
            elif submission.drained or not self._rescue.takes(target, portion):
                raise Refused(admitted)
            else:
                spilled.append((target, portion))
        if self._held.size + size <= self._settings.process_size:
            return queued, spilled
        if submission.drained or not all(self._rescue.takes(*part) for part in portions.items()):
            raise Refused(FULL)
        return [], list(portions.items())

    def _take(
        self,
        submission: Submission,
        queued: Sequence[tuple[Destination, Admitted]],
        spilled: Sequence[tuple[Target, Sequence[Data]]],
    ) -> None:
        # While it is being taken the request waits for that too: nothing may tell it before all is counted.
        submission.open_records = 1
        for destination, admitted in queued:
            records = admitted.records
            for data, why in admitted.too_large:
                self._rescue.bury(submission, destination.target, data, why, settled=False)
            if records:
                submission.portions.append((destination.target, records))
                submission.open_records += len(records)
                destination.queue(records)
        for target, portion in spilled:
            self._rescue.spill(submission, target, portion)
        submission.close()

    def _count_undeliverable(self, destination: str) -> None:
        self._metrics.counter(names.UNDELIVERABLE_RECORDS, destination).value += 1

    def _undeliverable(self, destination: Destination, record: Record, why: Refusal) -> None:
        data = Data(record.partition_key, record.data, record.index)
        self._rescue.bury(record.submission, destination.target, data, why, settled=True)

    def _closed(self, submission: Submission) -> None:
        del self._open[submission]
        if not self._open:
            self._idle.set()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _get_to_know(self, destination: Destination) -> None:
        await self._look(destination)
        await self._advise(destination)

    async def _look(self, destination: Destination) -> None:
        """Take over what the stream says of itself, where the role may ask and it was not asked just now."""
        now = self._clock()
        if self._preflight is None or now < self._look_from.get(destination.target, now):
            return
        self._look_from[destination.target] = now + RELIST_SECONDS
        try:
            credentials = await self._credentials.get(destination.grant)
        except CredentialsFault:
            return
        found = await self._preflight.stream(destination.target, credentials)
        if found is None:
            self._look_from[destination.target] = float("inf")
            return
        destination.learn(found)

    async def _advise(self, destination: Destination) -> None:
        """Log what the role may not do, as far as IAM says."""
        if self._preflight is None:
            return
        try:
            credentials = await self._credentials.get(destination.grant)
        except CredentialsFault:
            return
        decisions = await self._preflight.permissions(destination.target, credentials)
        if "denied" in decisions.values():
            said = {"destination": destination.name, "role": destination.target.role_address}
            log.warning("IAM says that the role's policy does not suffice", extra={**said, **decisions})

    async def _watch_deadlines(self) -> None:
        while True:
            await asyncio.sleep(GRAIN_SECONDS)
            for submission in self._open.passed(self._clock()):
                self._rescue.strand(submission, LATE)
            if self._leaving:
                await self._let_go()

    async def _let_go(self) -> None:
        for target in list(self._leaving):
            destination = self._destinations[target]
            # While another was closed, requests may have come for this one, or settings that name it again.
            if target not in self._leaving or destination.held.size:
                continue
            self._leaving.discard(target)
            del self._destinations[target]
            self._look_from.pop(target, None)
            await destination.close()
            destination.hide_gauges()
            if destination.name not in {each.name for each in self._destinations.values()}:
                self._metrics.drop(destination.name)
