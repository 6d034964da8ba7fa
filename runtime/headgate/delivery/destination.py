"""One destination at work: takes records, packs requests, sends them, and does what the answers ask for.

All decisions are made by pure parts (lanes, packer, paces, settling, pause, singles); here is what they
share: the clock, the timer, and the requests in flight.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from headgate.delivery.admission import Admitted, made, over_bounds
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache, CredentialsFault, Grant
from headgate.delivery.failures import Failures
from headgate.delivery.figures import Counts, show_gauges, status
from headgate.delivery.hooks import Hooks
from headgate.delivery.lanes import Held, Lanes
from headgate.delivery.packer import MAX_RECORDS, Bounds, Parcel, pack
from headgate.delivery.pause import Pause
from headgate.delivery.preflight import Found
from headgate.delivery.settling import give_back, give_up, hold_back, settle
from headgate.delivery.singles import Singles
from headgate.delivery.submission import Record, Refusal, Submission
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Route, Wire
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.messages import Answer
from headgate.metrics.store import Metrics
from headgate.status.report import DestinationStatus

log = logging.getLogger(__name__)

MAX_SINGLES = 64
"""PutRecord requests in flight to one destination."""


class Destination:
    """Delivers the records of one destination until each is settled."""

    def __init__(
        self,
        target: Target,
        *,
        settings: DeliverySettings,
        held: Held,
        credentials: CredentialsCache,
        wire: Wire,
        hooks: Hooks,
        metrics: Metrics,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.target = target
        self.name = target.name
        self.grant = Grant(target.role_address, target.external_id, target.region)
        self.held = Held(held)
        self.lanes = Lanes(self.held)
        self.pause = Pause(self.name)
        self.singles = Singles()
        self.max_record_size = target.max_record_kib * 1024
        self._settings = settings
        self._route = Route(target.region, target.stream_name, target.wire)
        self._credentials = credentials
        self._wire = wire
        self._hooks = hooks
        self._spread = spread
        self._loop = asyncio.get_running_loop()
        self._bounds = Bounds(size=settings.request_size, strict=target.strict)
        self._flights: dict[asyncio.Task[None], Parcel] = {}
        self._timer: asyncio.TimerHandle | None = None
        # Whether the timer is that of records that wait for company, and how many came since the last pump.
        self._lingering = False
        self._fresh = 0
        self._failures = Failures()
        # Whether records have gone through since one was last found to be invalid.
        self._proven = False
        self._counts = Counts(metrics, self.name)
        self.hide_gauges = show_gauges(metrics, self, lambda: credentials.age(self.grant))

    def status(self) -> DestinationStatus:
        """Return how the destination is doing."""
        return status(self, *self._wire.spoken(self._route))

    def oldest_age(self) -> float:
        """Return how many seconds ago the oldest record that is held arrived; 0 where none is held."""
        waiting = [oldest for lane in self.lanes.busy if (oldest := lane.oldest()) is not None]
        flying = [each.records[portion.start] for each in self._flights.values() for portion in each.portions]
        arrivals = [record.submission.arrived for record in (*waiting, *flying)]
        return self._loop.time() - min(arrivals) if arrivals else 0.0

    def admit(self, submission: Submission, portion: Sequence[Data]) -> Admitted | Refusal:
        """Return a request's records for this destination, not queued yet, or why they are not taken."""
        if self.pause.fault is not None:
            refusal = self.pause.refusal(self._loop.time(), probing=self.held.size > 0)
            if refusal is not None:
                return refusal
        admitted = made(submission, portion, self.lanes, self.max_record_size)
        refusal = over_bounds(self.name, admitted, self.held, self._settings)
        if refusal is not None:
            return refusal
        if admitted.replaced_keys:
            self._counts.replaced_keys(admitted.replaced_keys)
        return admitted

    def accepts(self) -> bool:
        """Return whether what has waited in overflow may be put now, beside the live traffic."""
        now = self._loop.time()
        if self.pause.refusal(now, probing=self.held.size > 0) is not None:
            return False
        if self._failures.in_a_row > 1:
            # Where nothing else is there to find out whether requests succeed again, this does.
            return not self.held.size and self._failures.blocked_until <= now
        return self.held.size < self._settings.destination_size // 2

    def queue(self, records: list[Record]) -> None:
        """Queue records that were admitted just now; each will be settled with its submission."""
        self.lanes.add(records)
        self._fresh += len(records)
        full = self._fresh >= MAX_RECORDS
        if (self._lingering and not full) or self._room() <= 0:
            return
        if full:
            self._pump()
        else:
            self._lingering = True
            self._wake_in(self._settings.linger)

    def learn(self, found: Found) -> None:
        """Take over what the stream says of itself."""
        self.lanes.mapped(found.shard_of_slot)
        if found.max_record_kib is not None:
            self.max_record_size = found.max_record_kib * 1024

    async def close(self) -> None:
        """Stop delivering; what is held is not settled any more."""
        self._settings = replace(self._settings, requests_in_flight=0)
        if self._timer is not None:
            self._timer.cancel()
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    def _room(self) -> int:
        """Return how many more requests may be sent now."""
        if not self._settings.requests_in_flight:
            return 0
        most = MAX_SINGLES if self.singles.on else self._settings.requests_in_flight
        return most - len(self._flights)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(seconds, 0.001), self._pump)

    def _pump(self) -> None:
        """Send as many requests as may be sent now, and see to it that this runs again when more may."""
        self._lingering = False
        self._fresh = 0
        now = self._loop.time()
        if self._failures.blocked_until > now:
            wait: float | None = self._failures.blocked_until - now
        elif self.singles.on:
            wait = self._send_singles(now)
        else:
            wait = self._send_batches(now)
        self.lanes.drop_idle()
        if wait is not None:
            self._wake_in(wait)

    def _send_batches(self, now: float) -> float | None:
        while self._room() > 0:
            packed = pack(self.lanes.busy, now, self._bounds)
            if packed.parcel is None:
                return packed.wait
            self._launch(packed.parcel, now, single=False)
        return None

    def _send_singles(self, now: float) -> float | None:
        if self.singles.probe_due(now):
            # The probe takes whole lanes, so no single starts before one of them is at rest.
            packed = pack(self.lanes.busy, now, self._bounds)
            if packed.parcel is None:
                return packed.wait
            self.singles.probed(now)
            self._launch(packed.parcel, now, single=False)
        parcels, wait = self.singles.pack(self.lanes.busy, now, self._room())
        for parcel in parcels:
            self._launch(parcel, now, single=True)
        return wait

    def _launch(self, parcel: Parcel, now: float, *, single: bool) -> None:
        self._flights[self._loop.create_task(self._fly(parcel, now, single=single))] = parcel

    async def _fly(self, parcel: Parcel, launched: float, *, single: bool) -> None:
        try:
            answer = await self._send(parcel, single=single)
        except Exception as error:  # a defect of ours must not end the delivery of this destination
            log.exception("a request failed in a way nobody foresaw", extra={"destination": self.name})
            answer = Fault(Verdict.RETRY, type(error).__name__, "a defect of the forwarder")
        if (flight := asyncio.current_task()) is not None:
            self._flights.pop(flight, None)
        if single:
            self.singles.landed(parcel.portions[0].lane, parcel.records[0])
            if isinstance(answer, Fault) and answer.verdict is Verdict.THROTTLED:
                answer = Answer(failed={0: answer.code}, shard_ids=[None])
        if not isinstance(answer, Fault):
            self._after_answer(parcel, answer, single=single)
        elif answer.denied and not single:
            self._after_denial(parcel, answer)
        else:
            self._after_fault(parcel, answer, launched)
        if self.lanes.busy and not self._lingering:
            self._pump()

    async def _send(self, parcel: Parcel, *, single: bool) -> Answer | Fault:
        try:
            credentials = await self._credentials.get(self.grant)
        except CredentialsFault as error:
            return error.fault
        begun = self._loop.time()
        if single:
            answer = await self._wire.put_record(self._route, credentials, parcel.records[0])
        else:
            answer = await self._wire.put_records(self._route, credentials, parcel.records)
        self._counts.answered(self._loop.time() - begun)
        if isinstance(answer, Fault) and answer.verdict is Verdict.REFRESH:
            # Others in flight may have met the same end and fetched new ones since.
            self._credentials.forget(self.grant, credentials)
        return answer

    def _after_answer(self, parcel: Parcel, answer: Answer, *, single: bool) -> None:
        settled = settle(self.lanes, parcel, answer, self._loop.time(), self._spread())
        self._counts.settled(settled)
        if self.lanes.resharded:
            self.lanes.resharded = False
            self._hooks.resharded(self)
        if not settled.delivered:
            return
        self._failures.ended()
        self._proven = True
        if self._bounds.records < MAX_RECORDS:
            self._bounds = replace(self._bounds, records=min(self._bounds.records * 2, MAX_RECORDS))
        if self.pause.end():
            log.info("the destination takes records again", extra={"destination": self.name})
        if not single and self.singles.stop():
            log.info("PutRecords is allowed now: batches again", extra={"destination": self.name})

    def _after_denial(self, parcel: Parcel, fault: Fault) -> None:
        self._counts.again(parcel, fault)
        give_back(self.lanes, parcel)
        if self.singles.start(self._loop.time()):
            advice = (
                "records go one by one, slowly; to mend it, allow kinesis:PutRecords in the role's policy"
            )
            log.warning("PutRecords is denied: %s", advice, extra=self._said_of(fault))
            self._hooks.denied(self)

    def _after_fault(self, parcel: Parcel, fault: Fault, launched: float) -> None:
        now = self._loop.time()
        if fault.verdict is Verdict.PAUSE:
            self._pause_for(parcel, fault, now)
        elif fault.verdict is Verdict.SPLIT:
            self._split(parcel, fault, now)
        else:
            self._try_again(parcel, fault, now, launched)

    def _try_again(self, parcel: Parcel, fault: Fault, now: float, launched: float) -> None:
        self._counts.again(parcel, fault)
        give_back(self.lanes, parcel)
        refresh = fault.verdict is Verdict.REFRESH
        in_a_row = self._failures.again(refresh=refresh, launched=launched, now=now, spread=self._spread())
        if in_a_row == 1:
            hold_back(parcel, now, self._spread())
        elif in_a_row == 2:
            log.warning("requests fail; they are sent until they succeed", extra=self._said_of(fault))

    def _pause_for(self, parcel: Parcel, fault: Fault, now: float) -> None:
        # When the pause ends, batches are tried first: the policy may hold both actions by then.
        self.singles.stop()
        news = self.pause.is_news(fault)
        refusal = self.pause.begin(fault, now)
        if news:
            log.error("the destination is paused until this is mended", extra=self._said_of(fault))
            if fault.denied:
                self._hooks.denied(self)
        for record in parcel.records:
            self._hooks.stranded(record.submission, refusal)
        give_back(self.lanes, parcel)
        for lane in list(self.lanes.busy):
            while (oldest := lane.oldest()) is not None:
                self._hooks.stranded(oldest.submission, refusal)

    def _split(self, parcel: Parcel, fault: Fault, now: float) -> None:
        if len(parcel.records) > 1:
            self._counts.again(parcel, fault)
            give_back(self.lanes, parcel)
            self._bounds = replace(self._bounds, records=max(len(parcel.records) // 2, 1))
        elif not self._proven:
            # Only where other records go through is it the record that is at fault.
            self._pause_for(parcel, fault, now)
        else:
            self._proven = False
            log.error("Kinesis will never take this record", extra=self._said_of(fault))
            why = Refusal("undeliverable", f"{fault.code}: {fault.message}")
            self._hooks.undeliverable(self, give_up(self.lanes, parcel), why)

    def _said_of(self, fault: Fault) -> dict[str, object]:
        return {
            "destination": self.name,
            "region": self.target.region,
            "stream": self.target.stream_name,
            "role": self.target.role_address,
            "code": fault.code,
            "reason": fault.message,
        }
