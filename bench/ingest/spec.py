"""CPU time of an event in `headgate.spec`, beside that of its JSON alone: `python -m bench.ingest.spec`."""

import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from bench.budgets import conclude
from bench.ingest.shapes import CALL, SHAPES, Shape
from bench.results import OURS, Row, Section
from bench.tables import table
from headgate.spec import body as bodies
from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import prepare
from headgate.spec.stamp import Arrival

MSGSPEC, JSON = "msgspec, decoded and encoded", "json, loaded and dumped"
REPEATS = 9
EVENTS = 20_000
"""Events in each repeat."""
RECEIVED = datetime(2026, 2, 1, 0, 0, 0, 123_000, tzinfo=UTC)


def headgate(text: bytes, shape: Shape, *, batch: bool) -> list[tuple[str, bytes]]:
    """Make a request's events ready for the stream: decode, validate, stamp, partition key."""
    body = bodies.read(text, batch=batch)
    arrival = Arrival(
        received_at=RECEIVED,
        sent_at=body.sent_at,
        project_id="8kf3Qw2LpZ",
        call=None if batch else "page",
        client_side=shape.client_side,
        ip="203.0.113.7" if shape.client_side else None,
    )
    prepared = prepare(body, arrival, lambda: str(uuid.uuid4()))
    if prepared.rejected or prepared.excluded:
        raise ValueError(f"{shape.name}: {prepared.rejected}")
    return [(partition_key(event, use_message_id=False), event.data) for event in prepared.events]


def standard(text: bytes) -> bytes:
    return json.dumps(json.loads(text)).encode()


def with_msgspec(text: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(text))


def measure(work: Callable[[], object], events: int) -> float:
    """Return the CPU microseconds of one event: the median of several repeats."""
    rounds = max(1, EVENTS // events)
    figures = []
    for _ in range(REPEATS):
        began = time.process_time_ns()
        for _ in range(rounds):
            work()
        figures.append((time.process_time_ns() - began) / 1_000 / rounds / events)
    return statistics.median(figures)


def measured(shape: Shape, text: bytes, events: int) -> list[Row]:
    batch = events > 1
    what = shape.name if batch else f"{shape.name}, single calls"
    work: dict[str, Callable[[], object]] = {
        OURS: lambda: headgate(text, shape, batch=batch),
        MSGSPEC: lambda: with_msgspec(text),
        JSON: lambda: standard(text),
    }
    rows = [Row(who, what) for who in work]
    for row in rows:
        row.add(cpu=measure(work[row.who], events), events=events, bytes=len(shape.event(0)))
    return rows


def main() -> None:
    rows = [row for shape in SHAPES for row in measured(shape, shape.batch(), 50)]
    conclude("spec", report, [*rows, *measured(CALL, CALL.event(0), 1)], rounds=REPEATS)


def report(section: Section) -> str:
    rows = [
        [ours.what, int(ours["events"]), int(ours["bytes"]), *(row["cpu"] for row in (ours, *peers))]
        for ours, *peers in section.kinds().values()
    ]
    return f"""\
CPU microseconds per event: all that `headgate.spec` does (check the JSON, split the batch, validate, stamp,
choose the partition key) beside what turns the same events' JSON into objects and back.

{table(["as sent by", "events a request", "bytes an event", OURS, MSGSPEC, JSON], rows)}"""


if __name__ == "__main__":
    main()
