"""The parts of *Overview* that are told again while it is open, as HTML, and what its plots show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from headgate.console.feed import Stream
from headgate.console.overview import amounts
from headgate.console.overview.amounts import duration
from headgate.console.overview.figures import WATCHED, Look
from headgate.console.overview.observer import Observer
from headgate.console.overview.standing import MEANINGS, DestinationRow, State, destination_rows, source_rows
from headgate.console.overview.stream_loads import MOST_STREAMS, StreamLoads
from headgate.console.pages import rendered
from headgate.shards import SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND

MOST_ROWS = 200
"""Rows of a table that is told again each second; those that need somebody come first."""
MOST_SHARDS = 50
MOST_LINES = 8
"""Shards of a stream in a plot: the busiest."""
_LATE_INTERVALS = 3.5


class Line(NamedTuple):
    """A line of a plot: its name in `headgate.console.overview.figures.Point`, and in words."""

    series: str
    label: str


class Plot(NamedTuple):
    """A plot over time."""

    id: str
    title: str
    unit: str
    """As overview.js knows it."""
    lines: Sequence[Line]
    meaning: str


_LATENCY = "milliseconds"
PLOTS: Sequence[Plot] = (
    Plot(
        "events",
        "Events per minute",
        "number",
        (Line("events", "accepted"), Line("rejected", "rejected")),
        "Accepted: valid events of requests that were taken. Rejected: those that break the Spec.",
    ),
    Plot(
        "share",
        "Delivered share",
        "share",
        (Line("share", "delivered"),),
        "Records that Kinesis said yes to, divided by the sum of those, of those that it will never take "
        "(UndeliverableRecords), of those that went to the overflow queue (SpilledRecords), and of those "
        "that are held (HeldRecords) by a destination whose oldest record has waited for a second or longer. "
        "What comes back from the queue counts when it is delivered. No line while there is nothing to "
        "deliver.",
    ),
    Plot(
        "acknowledged",
        "Acknowledgement latency",
        _LATENCY,
        (Line("acknowledged_p50", "p50"), Line("acknowledged_p99", "p99")),
        "From a request that was taken to its answer. No line while there are no requests.",
    ),
    Plot(
        "put",
        "Put latency",
        _LATENCY,
        (Line("put_p50", "p50"), Line("put_p99", "p99")),
        "From sending a request to Kinesis to its answer, each of the destination where it is longest.",
    ),
    Plot(
        "held-records",
        "Held records",
        "number",
        (Line("held_records", "held"),),
        "Records that are queued or in flight.",
    ),
    Plot(
        "held-bytes",
        "Held bytes",
        "bytes",
        (Line("held_bytes", "held"),),
        "Data and partition keys of the records that are queued or in flight.",
    ),
)


def texts(observer: Observer, now: float) -> Mapping[str, str]:
    """Return the parts by the name of their event.

    Args:
        observer: what was seen.
        now: seconds since 1970.
    """
    look = observer.seen if observer.fault is None else None
    listed = observer.listed or ()
    sources, destinations = source_rows(listed, look), destination_rows(listed, look)
    common = {
        "amounts": amounts,
        "figures": observer.figures,
        "look": look,
        "settings_fault": observer.settings_fault,
        "settings_read": observer.listed is not None,
        "meanings": MEANINGS,
    }
    tone, headline = _headline(observer, look, destinations, now)
    return {
        "headline": rendered("overview/headline.html", tone=tone, headline=headline, **common),
        "process": rendered("overview/process.html", told_at=_clock(look), **common),
        "counted-head": rendered("overview/counted-head.html", **common),
        "counted": rendered("overview/counted.html", watched=WATCHED, **common),
        "settings": rendered("overview/settings.html", **common),
        "sources": rendered(
            "overview/sources.html",
            rows=sources[:MOST_ROWS],
            more=max(len(sources) - MOST_ROWS, 0),
            **common,
        ),
        "destinations": rendered(
            "overview/destinations.html",
            rows=destinations[:MOST_ROWS],
            more=max(len(destinations) - MOST_ROWS, 0),
            **common,
        ),
    }


def load_texts(loads: StreamLoads, streams: Sequence[Stream], now: float) -> Mapping[str, str]:
    """Return what is told of the load per shard, by the name of its event.

    Args:
        loads: what was read.
        streams: of the settings; `MOST_STREAMS` of them are read.
        now: seconds since 1970.
    """
    read = streams[:MOST_STREAMS]
    every = [(stream, load) for stream in read for load in loads.of(stream).loads(now)]
    busiest = sorted(every, key=lambda each: each[1].use.share, reverse=True)[:MOST_SHARDS]
    rows = [each for each in every if each in busiest] if len(every) > MOST_SHARDS else every
    lines = [(stream, *loads.of(stream).lines(now, MOST_LINES)) for stream in read]
    plots = [
        {
            "name": f"{stream.name} in {stream.region}",
            "times": times,
            "shards": [line.shard_id for line in of_shards],
            "records": [line.records_per_second for line in of_shards],
            "bytes": [line.bytes_per_second for line in of_shards],
        }
        for stream, times, of_shards in lines
    ]
    limits = {"records": SHARD_RECORDS_PER_SECOND, "bytes": SHARD_BYTES_PER_SECOND}
    return {
        "shards": rendered(
            "overview/shards.html",
            amounts=amounts,
            rows=rows,
            more=len(every) - len(rows),
            records_limit=SHARD_RECORDS_PER_SECOND,
            bytes_limit=SHARD_BYTES_PER_SECOND,
        ),
        "reading": rendered(
            "overview/reading.html",
            streams=[(stream, loads.fault(stream)) for stream in read],
            others=len(streams) - len(read),
        ),
        "load": msgspec.json.encode({"limits": limits, "streams": plots}).decode(),
    }


def _headline(
    observer: Observer, look: Look | None, destinations: Sequence[DestinationRow], now: float
) -> tuple[str, str]:
    """Return how it stands in one line: its tone, and the line."""
    if observer.fault is not None:
        return "bad", observer.fault
    if look is None:
        return "soft", f"Asking {observer.figures.where}"
    if look.process is not None and look.process.draining:
        return "warn", "The forwarder drains: it delivers what it holds, then it stops"
    if now - look.span.at > _LATE_INTERVALS * observer.figures.interval:
        # By the minute: whoever has it read out hears it whenever it changes.
        return "warn", f"No figures came for {duration((now - look.span.at) // 60 * 60)}"
    times = Counter(row.state for row in destinations)
    for state, tone, one, several in _HEADLINES:
        if times[state] == 1:
            [row] = [row for row in destinations if row.state == state]
            return tone, one.format(f"{row.source_id}/{row.stream_name}")
        if times[state]:
            return tone, several.format(times[state])
    return "soft", "The forwarder is up; nothing is coming in"


_HEADLINES: Sequence[tuple[State, str, str, str]] = (
    ("paused", "bad", "{} is paused", "{} destinations are paused"),
    ("holding", "warn", "{} takes nothing now", "{} destinations take nothing now"),
    ("delivering", "good", "Delivering to {}", "Delivering to {} destinations"),
)


def _clock(look: Look | None) -> str:
    return datetime.fromtimestamp(look.span.at, UTC).strftime("%H:%M:%S UTC") if look else ""
