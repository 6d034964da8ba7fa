"""Segment's HTTP Tracking API: from a request to records, and from their outcome to the answer."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from urllib.parse import unquote

from headgate.delivery.delivery import Delivery, Refused
from headgate.delivery.submission import Outcome, Refusal
from headgate.delivery.target import Data, Target
from headgate.ingest import pixel
from headgate.ingest.answers import SUCCESS, Answer, error, method_not_allowed, partly, unavailable
from headgate.ingest.authentication import write_key
from headgate.ingest.clients import client_ip
from headgate.ingest.compression import TooLarge, Undecodable, decoded
from headgate.ingest.cors import VARY, preflight
from headgate.ingest.limits import HttpLimits
from headgate.ingest.outcomes import Kind, Outcomes
from headgate.ingest.paths import CALL_OF_NAME, CALL_OF_TARGET, METRICS, PIXEL, SETTINGS, Call, path_of
from headgate.ingest.projects import settings
from headgate.ingest.protocol import Respond
from headgate.ingest.rates import SourceRates
from headgate.ingest.requests import Request
from headgate.ingest.rereading import Reread, Rereader
from headgate.ingest.routes import Route, Routes
from headgate.metrics.store import Metrics
from headgate.settings.schema import Source
from headgate.spec import body as bodies
from headgate.spec.prepare import Limits, Prepared, Rejection, prepare
from headgate.spec.stamp import Arrival

log = logging.getLogger(__name__)
_utc_now = partial(datetime.now, UTC)

_HEALTHY = Answer(200, b'{"status": "ok"}')
_DRAINING = error(503, "draining", "this task is being stopped", retry_after=1)
_INTERNAL = error(503, "internal", "the request could not be handled; send it again", retry_after=5)
_NOT_FOUND = error(404, "not_found", "no such path; Segment's HTTP API is under /v1/")
_UNKNOWN_KEY = error(401, "unauthorized", "the write key is missing or unknown")
_FOREIGN_ORIGIN = error(403, "foreign_origin", "the source does not allow pages of this origin")
_SETTINGS_UNREAD = error(503, "settings_unread", "the sources cannot be read now; send again", retry_after=5)
_SETTINGS_BUSY = error(503, "settings_unread", "the sources are being read; send again", retry_after=1)
_NO_PROJECT = error(404, "not_found", "the write key is unknown")

Found = Callable[[Route | None], Answer | None]
"""Goes on with a request once its write key was looked up; None where the answer comes later."""


@dataclass(kw_only=True)
class TrackingApi:
    """Answers requests. `sources` is the source of every write key; none while settings were never read."""

    sources: Mapping[str, Source]
    delivery: Delivery
    now: Callable[[], datetime] = _utc_now
    new_message_id: Callable[[], str] = lambda: str(uuid.uuid4())
    limits: Limits = field(default_factory=Limits)
    request_bytes: int = HttpLimits.request_bytes
    """What a body may have once it is decompressed."""
    forwarded_hops: int = 0
    """How many proxies of our own stand before us."""
    public_api: Mapping[str, str] = field(default_factory=dict)
    """Where clients reach us, as `projects.public_api` puts it."""
    rates: SourceRates = field(default_factory=lambda: SourceRates(time.monotonic))
    reread: Reread | None = None
    """Asks the store for its newest settings before a write key is unknown; they come through `take`."""
    outcomes: Outcomes = field(default_factory=lambda: Outcomes(Metrics(), time.monotonic))
    ready: bool = True
    """Whether the settings were read, and their destinations are prepared: what `/healthz` says."""
    draining: bool = False

    def __post_init__(self) -> None:
        """Work out where everything goes."""
        self._routes = Routes(self.sources)
        self._rereader = Rereader()

    def take(self, sources: Mapping[str, Source]) -> None:
        """Put changed settings in force for the requests that come; what is held keeps its own."""
        self.sources = sources
        self._routes = Routes(sources, self._routes)

    @property
    def targets(self) -> set[Target]:
        """The destinations that are in use."""
        return self._routes.targets

    @property
    def _health(self) -> Answer:
        if self.draining:
            return _DRAINING
        return _HEALTHY if self.ready else _SETTINGS_UNREAD

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer a request, now or when its events are safe; always exactly once."""
        try:
            answer = self._handle(request, respond)
        except Exception:  # a defect of ours is an outage to the client: it keeps its events
            log.exception("a request failed in a way nobody foresaw")
            answer = _INTERNAL
        if answer is not None:
            respond(answer)

    def _handle(self, request: Request, respond: Respond) -> Answer | None:
        if b"origin" in request.headers:
            request.cors = self._routes.origins.lines(request.headers[b"origin"])
        call = CALL_OF_TARGET.get(request.target)
        if call is not None and request.method == b"POST" and request.fault is None:
            return self._post(call, request, respond)
        path = path_of(request.target)
        if path.startswith(PIXEL):
            return self._pixel(path, request)
        if request.fault is not None:
            self.outcomes.count(Kind.UNREADABLE, None, code=str(request.fault.status))
            return request.fault
        if request.method == b"OPTIONS":
            return self._preflight(request)
        if path in (b"/healthz", b"/healthz/"):
            return self._get(request, self._health)
        if (match := SETTINGS.fullmatch(path)) is not None:
            return self._get(request, None) or self._settings(unquote(match[1].decode()), request, respond)
        call = CALL_OF_TARGET.get(path)
        if call is None and path not in METRICS:
            return _NOT_FOUND
        if request.method != b"POST":
            return method_not_allowed(b"POST, OPTIONS")
        return SUCCESS if call is None else self._post(call, request, respond)

    def _post(self, call: Call, request: Request, respond: Respond) -> Answer | None:
        headers = request.headers
        try:
            text = request.body
            if b"content-encoding" in headers:
                text = decoded(text, headers[b"content-encoding"], self.request_bytes)
            body = bodies.read(text, batch=call.batch)
        except TooLarge:
            message = f"the body is larger than {self.request_bytes:,} bytes decompressed"
            return self._unreadable(error(413, "too_large", message))
        except bodies.Malformed as fault:
            return self._unreadable(error(400, fault.code, str(fault)))
        except Undecodable as fault:
            return self._unreadable(error(400, "bad_request", str(fault)))
        key = write_key(headers.get(b"authorization")) or body.write_key
        route = self._routes.get(key)
        if route is not None:
            return self._receive(body, call, request, respond, route)
        return self._ask(key, partial(self._receive_if_known, body, call, request, respond), respond)

    def _receive_if_known(
        self, body: bodies.Body, call: Call, request: Request, respond: Respond, route: Route | None
    ) -> Answer | None:
        if route is not None:
            return self._receive(body, call, request, respond, route)
        self.outcomes.count(Kind.UNKNOWN_KEY, None)
        return _UNKNOWN_KEY

    def _ask(self, key: str | None, found: Found, respond: Respond) -> Answer | None:
        """Look a write key up that is not in the settings in force, in the newest ones that there are."""
        if key is None or self.reread is None:
            return found(None)

        def read_again(readable: bool) -> None:
            try:
                # A table is made before its first source: until then nobody can tell which keys are to be.
                answer = found(self._routes.get(key)) if readable and self.sources else _SETTINGS_UNREAD
            except Exception:
                log.exception("a request failed in a way nobody foresaw")
                answer = _INTERNAL
            if answer is not None:
                respond(answer)

        return None if self._rereader.ask(self.reread, read_again) else _SETTINGS_BUSY

    def _receive(
        self, body: bodies.Body, call: Call, request: Request, respond: Respond, route: Route
    ) -> Answer | None:
        source, headers, count = route.source, request.headers, len(body.events)
        if b"origin" in headers:
            request.cors = route.origins.lines(headers[b"origin"])
            if not request.cors:
                self.outcomes.count(Kind.FOREIGN_ORIGIN, source.id)
                return _FOREIGN_ORIGIN
        if count > self.limits.events:
            self.outcomes.count(Kind.REJECTED, source.id, count, "too_large")
            return error(413, "too_large", f"{count:,} events; allowed: {self.limits.events:,} a batch")
        for destination in route.excluded:
            self.outcomes.excluded(destination, count)
        if not route.targets:
            return SUCCESS
        if (wait := self.rates.wait(source, count)) is not None:
            self.outcomes.count(Kind.RATE_LIMITED, source.id)
            message = f"above the source's {source.max_events_per_second:,} events a second; send again later"
            return error(429, "too_many_events", message, retry_after=wait)
        arrival = Arrival(
            received_at=self.now(),
            sent_at=body.sent_at,
            project_id=source.id,
            call=call.name,
            # Browsers and phones put their key into the body; every server SDK sends Basic or Bearer.
            client_side=b"authorization" not in headers or b"origin" in headers or request.method != b"POST",
            ip=client_ip(request.peer, headers.get(b"x-forwarded-for"), self.forwarded_hops),
        )
        return self._deliver(prepare(body, arrival, self.new_message_id, self.limits), count, route, respond)

    def _deliver(self, prepared: Prepared, count: int, route: Route, respond: Respond) -> Answer | None:
        outcomes, source_id, events = self.outcomes, route.source.id, prepared.events
        if prepared.rejected:
            for code, rejected in Counter(why.code for why in prepared.rejected.values()).items():
                outcomes.count(Kind.REJECTED, source_id, rejected, code)
        portions: dict[Target, list[Data]] = {}
        valid, parted = len(events) + prepared.excluded, False
        for target, share_of in route.targets:
            share = share_of(events)
            if share:
                portions[target] = share
            if len(share) < valid:
                parted = True
                outcomes.excluded(target.name, valid - len(share))
        if not portions:
            return partly(count, prepared.rejected) if prepared.rejected else SUCCESS
        settled = partial(self._settled, prepared, count, source_id, outcomes.now(), respond)
        try:
            self.delivery.submit(portions, settled)
        except Refused as refused:
            return self._unavailable(refused.refusal, source_id)
        outcomes.accepted(source_id, _distinct(portions.values()) if parted else valid)
        return None

    def _settled(
        self,
        prepared: Prepared,
        count: int,
        source_id: str,
        begun: float,
        respond: Respond,
        outcome: Outcome,
    ) -> None:
        """Answer a request that delivery took."""
        self.outcomes.answered(begun)
        if outcome.unavailable is not None:
            respond(self._unavailable(outcome.unavailable, source_id))
        elif prepared.rejected or outcome.undeliverable:
            respond(self._partly(outcome, prepared, count, source_id))
        else:
            respond(SUCCESS)

    def _partly(self, outcome: Outcome, prepared: Prepared, count: int, source_id: str) -> Answer:
        """Return the answer to a request of which some events will never be delivered."""
        for why in outcome.undeliverable.values():
            self.outcomes.count(Kind.UNDELIVERABLE, source_id, code=why.code)
        undeliverable = {
            index: Rejection(why.code, why.message) for index, why in outcome.undeliverable.items()
        }
        return partly(count, prepared.rejected | undeliverable)

    def _unavailable(self, refusal: Refusal, source_id: str) -> Answer:
        answer = unavailable(refusal)
        kind = Kind.REFUSED if answer.status == 429 else Kind.UNAVAILABLE
        self.outcomes.count(kind, source_id, code=refusal.code)
        return answer

    def _unreadable(self, answer: Answer) -> Answer:
        self.outcomes.count(Kind.UNREADABLE, None, code=str(answer.status))
        return answer

    def _pixel(self, path: bytes, request: Request) -> Answer:
        """Take a pixel's event. Its client is told nothing of it: it gets the image, whatever happens."""
        if request.method == b"GET" or request.fault is not None:
            answer = self._pixel_event(path, request)
            if answer is not None:
                self._pixel_settled(answer)
        elif request.method == b"OPTIONS":
            return self._preflight(request)
        return pixel.IMAGE

    def _pixel_event(self, path: bytes, request: Request) -> Answer | None:
        call = CALL_OF_NAME.get(path.removeprefix(PIXEL).rstrip(b"/").decode("latin-1"))
        if request.fault is not None or call is None:
            return request.fault or _NOT_FOUND
        try:
            text, key_beside = pixel.event_of(request.target.partition(b"?")[2])
            body = bodies.read(text, batch=False)
        except (pixel.Malformed, bodies.Malformed):
            return error(400, "bad_request", "the query is no event")

        def found(route: Route | None) -> Answer | None:
            if route is None:
                return _UNKNOWN_KEY
            return self._receive(body, call, request, self._pixel_settled, route)

        key = body.write_key or key_beside
        route = self._routes.get(key)
        return found(route) if route is not None else self._ask(key, found, self._pixel_settled)

    def _pixel_settled(self, answer: Answer) -> None:
        if answer.status != 200:
            self.outcomes.count(Kind.PIXEL_LOST, None, code=str(answer.status))

    def _settings(self, key: str, request: Request, respond: Respond) -> Answer | None:
        def found(route: Route | None) -> Answer | None:
            if route is None:
                return _NO_PROJECT
            if b"origin" not in request.headers:
                request.cors = VARY  # a cache may keep this answer
                return settings(key, self.public_api)
            request.cors = route.origins.lines(request.headers[b"origin"])
            return settings(key, self.public_api) if request.cors else _FOREIGN_ORIGIN

        route = self._routes.get(key)
        return found(route) if route is not None else self._ask(key, found, respond)

    def _preflight(self, request: Request) -> Answer:
        """Answer for any source: a preflight carries no write key."""
        if b"origin" in request.headers and not request.cors:
            return _FOREIGN_ORIGIN
        return preflight(request.headers.get(b"access-control-request-headers"))

    def _get(self, request: Request, answer: Answer | None) -> Answer | None:
        return answer if request.method in (b"GET", b"HEAD") else method_not_allowed(b"GET, HEAD, OPTIONS")


def _distinct(portions: Iterable[list[Data]]) -> int:
    """Return how many events are in a request's portions, of which several may have the same."""
    return len({data.number for portion in portions for data in portion})
