"""Delivery as the rest sees it: take these records, say when they are safe."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache, CredentialsFault
from headgate.delivery.deadlines import GRAIN_SECONDS, Deadlines
from headgate.delivery.destination import Destination, Hooks
from headgate.delivery.lanes import Held
from headgate.delivery.preflight import Preflight
from headgate.delivery.submission import Outcome, Refusal, Submission
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.metrics.store import Metrics
from headgate.status.report import DestinationStatus, merged_destination

log = logging.getLogger(__name__)

RELIST_SECONDS = 10.0
"""Between two looks at a stream's shards: ListShards is for everybody in the account."""
LATE = Refusal("deadline", "Kinesis has not taken every event in time; send again", 5)


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
    ) -> None:
        self._metrics = metrics or Metrics()
        self._wire = wire
        self._credentials = credentials
        self._preflight = preflight
        self._settings = settings or DeliverySettings()
        self._held = Held()
        self._destinations: dict[Target, Destination] = {}
        self._deadlines = Deadlines(self._settings.acknowledge_within)
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = 0
        self._clock = asyncio.get_running_loop().time
        self._hooks = Hooks(
            denied=lambda destination: self._start(self._advise(destination)),
            resharded=lambda destination: self._start(self._look(destination)),
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
        submission = Submission(lambda closed: self._closed(closed, on_settled), self._clock())
        admitted = []
        for target, portion in portions.items():
            destination = self._destination(target)
            records = destination.admit(submission, portion)
            if isinstance(records, Refusal):
                raise Refused(records)
            admitted.append((destination, records))
            submission.records += records
        size = sum([record.size for record in submission.records])
        if self._held.size + size > self._settings.process_size:
            raise Refused(Refusal("memory_full", "the forwarder holds all it may; send again later", 5))
        submission.open_records = len(submission.records)
        self._open += 1
        self._idle.clear()
        if not submission.records:
            submission.tell()
            return
        self._deadlines.add(submission)
        for destination, records in admitted:
            if records:
                destination.queue(records)

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

    def _closed(self, submission: Submission, on_settled: Callable[[Outcome], None]) -> None:
        self._deadlines.drop(submission)
        self._open -= 1
        if not self._open:
            self._idle.set()
        on_settled(submission.outcome)

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
        if self._preflight is None or destination.target.role_address is None:
            return
        try:
            credentials = await self._credentials.get(destination.grant)
        except CredentialsFault:
            return
        decisions = await self._preflight.permissions(destination.target, credentials)
        if "denied" in decisions.values():
            said = {"destination": destination.name, "role": destination.target.role_address}
            log.warning("IAM says that the role's policy does not suffice", extra=said | decisions)

    async def _watch_deadlines(self) -> None:
        while True:
            await asyncio.sleep(GRAIN_SECONDS)
            for submission in self._deadlines.passed(self._clock()):
                submission.fail(LATE)
            if self._leaving:
                await self._let_go()

    async def _let_go(self) -> None:
        for target in [each for each in self._leaving if not self._destinations[each].held.records]:
            self._leaving.discard(target)
            destination = self._destinations.pop(target)
            self._look_from.pop(target, None)
            await destination.close()
            destination.hide_gauges()
            if destination.name not in {each.name for each in self._destinations.values()}:
                self._metrics.drop(destination.name)
