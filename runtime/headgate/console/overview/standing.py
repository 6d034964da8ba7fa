"""How each source and destination stands: settings and figures, side by side. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from headgate.console.overview.figures import Look, Told
from headgate.console.sources import Listed, places
from headgate.metrics import names
from headgate.metrics.emf import dimension
from headgate.settings.schema import Source
from headgate.status.report import Pause

State = Literal["paused", "holding", "delivering", "quiet", "nothing yet", "unknown", "disabled"]
MEANINGS: Mapping[State, str] = {
    "paused": "AWS refuses what somebody has to mend; one request in a while tries whether it was",
    "holding": "it holds records and delivers none of them",
    "delivering": "Kinesis takes its records",
    "quiet": "nothing came for it lately",
    "nothing yet": "nothing has come for it since the forwarder started",
    "unknown": "there are no figures now",
    "disabled": "it, or its source, is not enabled: its events are acknowledged and left out",
}
_HOLDING_SECONDS = 5.0
"""How long the oldest record has to have waited: what is merely in flight is not held up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source."""

    id: str
    name: str
    enabled: bool | None
    """None where the settings do not have it."""
    accepted: float | None
    """Events per minute; None where nobody knows."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Events since the forwarder started, by the code of their rejection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What goes through a destination, and what does not."""

    delivered: float | None
    throttled: float | None
    """Records per minute; None where nobody knows."""
    held_records: float
    held_bytes: float
    oldest_seconds: float
    """How long the oldest record held has waited."""
    put_p99: float | None
    """Milliseconds; None where nothing was sent."""
    singles: bool
    """Whether it sends PutRecord, since its role may not send PutRecords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRow:
    """A destination."""

    source_id: str
    source_name: str
    region: str | None
    """None where the settings do not have it."""
    stream_name: str
    state: State
    pause: Pause | None
    """Why it is paused, where somebody says."""
    flow: Flow | None
    """None where there are no figures of it."""
    shared: bool
    """Whether they are those of another destination of its source too: they go by the stream's name."""


def source_rows(listed: Sequence[Listed], look: Look | None) -> list[SourceRow]:
    """Return a row for every source that settings or figures know, by ID.

    Args:
        listed: the settings.
        look: the figures, if there are any now.
    """
    known = {each.source.id: each.source for each in listed}
    told = (look.span.accepted or {}) if look else {}
    return [_source(each, known.get(each), look) for each in sorted(known.keys() | told.keys())]


def destination_rows(listed: Sequence[Listed], look: Look | None) -> list[DestinationRow]:
    """Return a row for every destination that settings or figures know: first those that need somebody.

    Args:
        listed: the settings.
        look: the figures, if there are any now.
    """
    rows = list(_destinations(listed, look))
    return sorted(
        rows,
        key=lambda row: (row.state not in _NEED_SOMEBODY, row.source_id, row.stream_name, row.region or ""),
    )


def _destinations(listed: Sequence[Listed], look: Look | None) -> Iterator[DestinationRow]:
    # CloudWatch takes fewer characters in a name than settings do.
    called: Callable[[str], str] = dimension if look is not None and look.process is None else str
    of_settings = [
        (called(f"{source.id}/{destination.stream_name}"), source, destination)
        for source, _, destination in places(listed)
    ]
    times = Counter(name for name, _, _ in of_settings)
    for name, source, destination in of_settings:
        yield DestinationRow(
            source_id=source.id,
            source_name=source.name,
            region=destination.region,
            stream_name=destination.stream_name,
            state=_state(name, look) if source.enabled and destination.enabled else "disabled",
            pause=_pause(name, look),
            flow=_flow(name, look),
            shared=times[name] > 1,
        )
    for name in (look.span.destinations.keys() - times.keys()) if look else ():
        source_id, _, stream_name = name.rpartition("/")
        yield DestinationRow(
            source_id=source_id,
            source_name=next((each.source.name for each in listed if each.source.id == source_id), ""),
            region=None,
            stream_name=stream_name,
            state=_state(name, look),
            pause=_pause(name, look),
            flow=_flow(name, look),
            shared=False,
        )


def _source(source_id: str, source: Source | None, look: Look | None) -> SourceRow:
    process = look.process if look else None
    accepted = look.span.accepted if look else None
    return SourceRow(
        id=source_id,
        name=source.name if source else "",
        enabled=source.enabled if source else None,
        accepted=look.span.per_minute(accepted.get(source_id, 0)) if look and accepted is not None else None,
        rejected=process.rejected.get(source_id, {}) if process else {},
    )


def _state(name: str, look: Look | None) -> State:
    if look is None:
        return "unknown"
    told, process = look.span.destinations.get(name, Told()), look.process
    if told.gauges.get(names.PAUSED.name) or _pause(name, look) is not None:
        return "paused"
    if told.counts.get(names.DELIVERED_RECORDS.name):
        return "delivering"
    if told.gauges.get(names.OLDEST_RECORD_AGE.name, 0) >= _HOLDING_SECONDS:
        return "holding"
    if process is not None and not process.delivered.get(name):
        return "nothing yet"
    return "quiet" if look.span.seconds is not None else "unknown"


def _flow(name: str, look: Look | None) -> Flow | None:
    if look is None or (told := look.span.destinations.get(name)) is None:
        return None
    latency = told.latencies.get(names.PUT_LATENCY.name)
    return Flow(
        delivered=look.span.per_minute(told.counts.get(names.DELIVERED_RECORDS.name, 0)),
        throttled=look.span.per_minute(told.counts.get(names.THROTTLED_RECORDS.name, 0)),
        held_records=told.gauges.get(names.HELD_RECORDS.name, 0),
        held_bytes=told.gauges.get(names.HELD_BYTES.name, 0),
        oldest_seconds=told.gauges.get(names.OLDEST_RECORD_AGE.name, 0),
        put_p99=latency.p99 if latency else None,
        singles=bool(told.gauges.get(names.SINGLES_MODE.name)),
    )


def _pause(name: str, look: Look | None) -> Pause | None:
    return look.process.pauses.get(name) if look and look.process else None


_NEED_SOMEBODY: Sequence[State] = ("paused", "holding")
