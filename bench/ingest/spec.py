"""CPU time of an event in `headgate.spec`, beside that of its JSON alone: `python -m bench.ingest.spec`."""

import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from bench.ingest.shapes import CALL, SHAPES, Shape
from headgate.spec import body as bodies
from headgate.spec.partition_key import USER, partition_key
from headgate.spec.prepare import prepare
from headgate.spec.stamp import Arrival

REPEATS = 9
EVENTS = 20_000
"""Events in each repeat."""
RECEIVED = datetime(2026, 2, 1, 0, 0, 0, 123_000, tzinfo=UTC)
_key_of = partition_key(USER)


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
    return [(_key_of(event), event.data) for event in prepared.events]


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


def row(shape: Shape, text: bytes, events: int) -> tuple[str, int, int, float, float, float]:
    batch = events > 1
    return (
        shape.name,
        events,
        len(shape.event(0)),
        measure(lambda: headgate(text, shape, batch=batch), events),
        measure(lambda: with_msgspec(text), events),
        measure(lambda: standard(text), events),
    )


def main() -> None:
    print("CPU microseconds per event; medians of", REPEATS)
    print(f"{'as sent by':18}{'events':>8}{'bytes':>7}{'headgate':>10}{'msgspec':>9}{'json':>7}")
    for shape in SHAPES:
        show(row(shape, shape.batch(), 50))
    show(row(CALL, CALL.event(0), 1))


def show(figures: tuple[str, int, int, float, float, float]) -> None:
    name, events, size, ours, quick, standard = figures
    print(f"{name:18}{events:8}{size:7}{ours:10.2f}{quick:9.2f}{standard:7.2f}")


if __name__ == "__main__":
    main()
