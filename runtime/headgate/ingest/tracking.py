"""Segment's HTTP Tracking API: from a request to records, and from their outcome to the answer."""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.submission import Outcome
from headgate.delivery.target import Data, Target
from headgate.ingest.authentication import write_key
from headgate.ingest.counts import IngestCounts
from headgate.ingest.messages import SUCCESS, Answer, Request, error, partly, unavailable
from headgate.ingest.protocol import Respond
from headgate.ingest.rates import SourceRates
from headgate.metrics.store import Metrics
from headgate.settings.schema import Destination, Source
from headgate.spec import body as bodies
from headgate.spec.event import CALLS
from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Limits, Rejection, prepare
from headgate.spec.stamp import Arrival

log = logging.getLogger(__name__)

_CALL_OF_PATH: dict[str, str | None] = {f"/v1/{call}": call for call in CALLS} | {"/v1/batch": None}


@dataclass(kw_only=True)
class TrackingApi:
    """Answers requests. `sources` is the source of every write key."""

    sources: dict[str, Source]
    delivery: Delivery
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_message_id: Callable[[], str] = lambda: str(uuid.uuid4())
    limits: Limits = field(default_factory=Limits)
    counts: IngestCounts = field(default_factory=lambda: IngestCounts(Metrics(), time.monotonic))
    draining: bool = False
    _rates: SourceRates = field(default_factory=lambda: SourceRates(time.monotonic))

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer a request, now or when its events are safe; always exactly once."""
        try:
            answer = self._handle(request, respond)
        except Exception:  # a defect of ours is an outage to the client: it keeps its events
            log.exception("a request failed in a way nobody foresaw", extra={"path": request.path})
            answer = error(503, "internal", "the request could not be handled; send it again", retry_after=5)
        if answer is not None:
            respond(answer)

    def take(self, sources: dict[str, Source]) -> None:
        """Put changed settings in force for the requests that come; what is held keeps its own."""
        self.sources = sources

    @property
    def targets(self) -> set[Target]:
        """The destinations that are in use."""
        return {
            _target(source, destination)
            for source in self.sources.values()
            if source.enabled
            for destination in source.destinations
            if destination.enabled
        }

    def _handle(self, request: Request, respond: Respond) -> Answer | None:
        path = request.path.rstrip("/") or "/"
        if path == "/healthz":
            return self._health()
        if path not in _CALL_OF_PATH:
            return error(404, "not_found", f"no path {path[:100]!r}; Segment's HTTP API is under /v1/")
        if request.method != "POST":
            return error(405, "method_not_allowed", f"{path} takes POST")
        try:
            body = bodies.read(request.body, batch=path == "/v1/batch")
        except bodies.Malformed as fault:
            return error(400, "bad_request", str(fault))
        source = self.sources.get(write_key(request.authorization, body.write_key) or "")
        if source is None:
            return error(401, "unauthorized", "the write key is missing or unknown")
        if len(body.events) > self.limits.events:
            message = f"{len(body.events):,} events; allowed: {self.limits.events:,} a batch"
            return error(413, "too_large", message)
        destinations = self._enabled(source, len(body.events))
        if not destinations:
            return SUCCESS
        if (wait := self._rates.wait(source, len(body.events))) is not None:
            self.counts.rate_limited.value += 1
            message = f"above the source's {source.max_events_per_second:,} events a second; send again later"
            return error(429, "too_many_events", message, retry_after=wait)
        return self._deliver(body, _CALL_OF_PATH[path], source, destinations, respond)

    def _enabled(self, source: Source, count: int) -> list[Destination]:
        """Return the destinations that get events; count those that each of the others does not."""
        enabled = [each for each in source.destinations if source.enabled and each.enabled]
        if len(enabled) < len(source.destinations):
            for excluded in set(source.destinations).difference(enabled):
                self.counts.excluded(_target(source, excluded).name, count)
        return enabled

    def _deliver(
        self,
        body: bodies.Body,
        call: str | None,
        source: Source,
        destinations: list[Destination],
        respond: Respond,
    ) -> Answer | None:
        begun = self.counts.now()
        arrival = Arrival(received_at=self.now(), sent_at=body.sent_at, project_id=source.id, call=call)
        prepared = prepare(body, arrival, self.new_message_id, self.limits)
        rejected = prepared.rejected
        if rejected:
            self.counts.rejected(source.id, [each.code for each in rejected.values()])
            codes = sorted({each.code for each in rejected.values()})
            log.warning(
                "events rejected", extra={"source": source.id, "events": len(rejected), "codes": codes}
            )
        if not prepared.events:
            return partly(len(body.events), rejected) if rejected else SUCCESS
        portions = {
            _target(source, each): [
                Data(partition_key(event, use_message_id=each.use_message_id), event.data, event.index)
                for event in prepared.events
            ]
            for each in destinations
        }

        def settled(outcome: Outcome) -> None:
            respond(self.counts.settled(_answer(outcome, len(body.events), rejected), begun))

        try:
            self.delivery.submit(portions, settled)
        except Refused as refused:
            return self.counts.unavailable(unavailable(refused.refusal))
        self.counts.accepted(source.id, len(prepared.events))
        return None

    def _health(self) -> Answer:
        if self.draining:
            return error(503, "draining", "this task is being stopped", retry_after=1)
        return Answer(200, b'{"status": "ok"}')


def _target(source: Source, destination: Destination) -> Target:
    return Target(
        source_id=source.id,
        region=destination.region,
        stream_name=destination.stream_name,
        role_address=destination.role_address,
        external_id=destination.secret_id or source.id,
        strict=destination.ordering == "strict",
        max_record_kib=destination.max_record_kib,
        wire=destination.wire,
    )


def _answer(outcome: Outcome, count: int, rejected: dict[int, Rejection]) -> Answer:
    if outcome.unavailable is not None:
        return unavailable(outcome.unavailable)
    every = rejected | {
        index: Rejection(why.code, why.message) for index, why in outcome.undeliverable.items()
    }
    return partly(count, every) if every else SUCCESS
