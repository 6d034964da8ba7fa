"""The forwarder's own status page: its form, and what two answers of it tell of the time between them."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import aiohttp
import msgspec
from yarl import URL

from headgate.console.overview.figures import Look, Percentiles, Process, Span, Told, point_of, watched
from headgate.console.overview.history import HISTORY_SECONDS
from headgate.errors import HeadgateError, one_line
from headgate.metrics import names
from headgate.metrics.histogram import VALUES, percentile
from headgate.metrics.names import METRICS
from headgate.status.report import Pause

INTERVAL_SECONDS = 1.0
SPAN_SECONDS = 10.0
"""What rates and percentiles are of: workers report once a second, so that of one second would flicker."""
ANSWER_WITHIN = 2.0
MOST_BYTES = 32 * 1024 * 1024
_SLACK_SECONDS = 3.0
"""What an uptime, which is told in whole seconds and a moment late, may seem to fall behind."""


class Worker(msgspec.Struct, frozen=True):
    """A worker, and how many died in its place before it."""

    restarts: Annotated[int, msgspec.Meta(ge=0)] = 0


Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Bucket = Annotated[int, msgspec.Meta(ge=0, lt=len(VALUES))]


class Distribution(msgspec.Struct, frozen=True):
    """How many values fell into each bucket since the start; a forwarder of old does not tell."""

    buckets: dict[Bucket, Count] = {}


class SourcePart(msgspec.Struct, frozen=True):
    """Events since the start."""

    accepted: Count = 0
    rejected: dict[str, Count] = {}


Shown = dict[str, Annotated[float, msgspec.Meta(ge=0, le=2**53)] | Distribution]


class DestinationPart(msgspec.Struct, frozen=True):
    """What the page tells of a destination."""

    paused: Pause | None = None
    metrics: Shown = {}


class StatusPage(msgspec.Struct, frozen=True):
    """What of the page is used; counters and distributions are since the start."""

    version: str
    uptime_seconds: Annotated[float, msgspec.Meta(ge=0)]
    draining: bool
    workers: list[Worker]
    metrics: Shown
    sources: dict[str, SourcePart]
    destinations: dict[str, DestinationPart]


_decoder = msgspec.json.Decoder(StatusPage)


class Readings:
    """Answers of one forwarder, each beside those of the last seconds: counters become what came in. Pure."""

    def __init__(self) -> None:
        self._last: deque[tuple[float, StatusPage]] = deque()
        self._counted: deque[tuple[float, dict[str, float]]] = deque()

    def take(self, at: float, page: StatusPage) -> Look:
        """Take in an answer, and return what it tells beside those before it.

        Args:
            at: when it came, in seconds since 1970.
            page: the answer.
        """
        if self._last and _restarted(*self._last[-1], at, page):
            self._last.clear()
            self._counted.clear()
        self._last.append((at, page))
        _drop(self._last, at - SPAN_SECONDS)
        totals = watched(
            _counters(page.metrics), [_counters(each.metrics) for each in page.destinations.values()]
        )
        self._counted.append((at, totals))
        _drop(self._counted, at - HISTORY_SECONDS)
        since, counted = self._counted[0]
        span = _between(*self._last[0], at, page)
        return Look(
            points=[point_of(span)],
            span=span,
            recent=_grown(counted, totals),
            recent_seconds=at - since,
            process=_process(page, totals),
        )


class StatusFigures:
    """Asks the page.

    Args:
        url: its URL.
        http: what it is asked with.
        now: seconds since 1970.
    """

    interval = INTERVAL_SECONDS
    span = SPAN_SECONDS

    def __init__(self, url: str, http: aiohttp.ClientSession, now: Callable[[], float]) -> None:
        self._url = url
        self._http = http
        self._now = now
        self._readings = Readings()

    @property
    def where(self) -> str:
        """The page's URL, without a password."""
        try:
            return str(URL(self._url).with_user(None))
        except ValueError:
            return "the status page"

    async def look(self) -> Look:
        """Return the newest.

        Raises:
            HeadgateError: it is not reachable, or is no status page of a forwarder.
        """
        try:
            within = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
            asked = self._http.get(f"{self._url}?buckets", timeout=within, allow_redirects=False)
            async with asked as response:
                if response.status != 200:
                    raise self._fault(f"answered {response.status}")
                body = await _body(response)
            page = _decoder.decode(body)
        except TimeoutError:
            raise self._fault(f"did not answer within {ANSWER_WITHIN:g} s") from None
        except (
            aiohttp.ClientError,
            ValueError,
        ) as error:  # msgspec's errors and those of UTF-8 are ValueErrors
            raise self._fault(_reason(error)) from None
        return self._readings.take(self._now(), page)

    def _fault(self, reason: str) -> HeadgateError:
        return HeadgateError(
            f"the forwarder's status page is not reachable: {self.where}: {reason}; "
            "name another with --status, or --cloudwatch where it runs elsewhere"
        )


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError
    return b"".join(parts)


def _reason(error: Exception) -> str:
    """Return why there is no answer, in words of ours where aiohttp's own may hold a password."""
    if isinstance(error, aiohttp.InvalidURL):
        return "that is no URL"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # one below 0 is getaddrinfo's
        return os.strerror(number).lower() if number > 0 else "no such host"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is no HTTP"
    if isinstance(error, aiohttp.ClientError):
        return one_line(error) or type(error).__name__
    return "the answer is no status page of a forwarder"


def _restarted(before_at: float, before: StatusPage, at: float, page: StatusPage) -> bool:
    """Return whether it is another process that answers, or this machine's clock was set back."""
    expected = before.uptime_seconds + (at - before_at)
    return at <= before_at or page.uptime_seconds + _SLACK_SECONDS < expected


def _between(begin: float, before: StatusPage, end: float, after: StatusPage) -> Span:
    nothing = DestinationPart()
    return Span(
        at=end,
        seconds=end - begin if end > begin else None,
        service=_told(before.metrics, after.metrics),
        destinations={
            name: _told(before.destinations.get(name, nothing).metrics, part.metrics)
            for name, part in after.destinations.items()
        },
        accepted=_grown(
            {name: source.accepted for name, source in before.sources.items()},
            {name: source.accepted for name, source in after.sources.items()},
        ),
    )


def _told(before: Shown, after: Shown) -> Told:
    latencies = {}
    for name, shown in after.items():
        if isinstance(shown, Distribution):
            was = before.get(name)
            buckets = _grown(was.buckets if isinstance(was, Distribution) else {}, shown.buckets)
            if any(buckets.values()):
                latencies[name] = Percentiles(percentile(buckets, 0.5), percentile(buckets, 0.99))
    gauges = {
        name: value for name, value in _numbers(after) if not isinstance(METRICS.get(name), names.Counter)
    }
    return Told(_grown(_counters(before), _counters(after)), gauges, latencies)


def _counters(shown: Shown) -> dict[str, float]:
    return {name: value for name, value in _numbers(shown) if isinstance(METRICS.get(name), names.Counter)}


def _numbers(shown: Shown) -> Iterable[tuple[str, float]]:
    return ((name, value) for name, value in shown.items() if not isinstance(value, Distribution))


Key = TypeVar("Key", str, int)
Number = TypeVar("Number", int, float)


def _grown(before: Mapping[Key, Number], after: Mapping[Key, Number]) -> dict[Key, Number]:
    """Return what came in. A counter that fell has begun anew in between, so all of it came in."""
    return {
        key: count - was if (was := before.get(key)) is not None and was <= count else count
        for key, count in after.items()
    }


def _process(page: StatusPage, totals: Mapping[str, float]) -> Process:
    delivered = names.DELIVERED_RECORDS.name
    return Process(
        version=page.version,
        uptime_seconds=page.uptime_seconds,
        draining=page.draining,
        restarts=[worker.restarts for worker in page.workers],
        totals=totals,
        rejected={name: source.rejected for name, source in page.sources.items()},
        delivered={
            name: _counters(part.metrics).get(delivered, 0) for name, part in page.destinations.items()
        },
        pauses={name: part.paused for name, part in page.destinations.items() if part.paused is not None},
    )


def _drop(kept: deque[tuple[float, Any]], before: float) -> None:
    """Drop what is older; the newest is not."""
    while kept[0][0] < before:
        kept.popleft()
