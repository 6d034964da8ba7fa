"""What Headgate may take, in the figures that `bench.results` keeps."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from bench.results import OURS, Row, Section, store


@dataclass(frozen=True)
class Budget:
    """A bound of one figure of one of our rows."""

    work: str
    """As the document calls it."""
    section: str
    figure: str
    unit: str
    who: str
    must: float
    aim: float | None
    what: str = ""
    to: str = ""
    at_least: bool = False
    """Whether more is better."""

    def row(self, section: Section) -> Row:
        return section.row(self.who, self.what, self.to)

    def value(self, section: Section) -> float:
        return self.row(section)[self.figure]

    def kept(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound

    def best_peer(self, section: Section) -> Row | None:
        """Who of the others does the same work best, if any does."""
        peers = [
            row
            for row in section.rows
            if not row.ours and self.figure in row.figures and (row.what, row.to) == (self.what, self.to)
        ]
        best = max if self.at_least else min
        return best(peers, key=lambda row: row[self.figure]) if peers else None


CPU = "CPU s per million"
# Whose work, and which, as rows call it.
BATCH, SINGLE = "batches of 50", "one event a request"
DELIVERY, TAIL = f"{OURS}, CBOR, requests of 50", f"{OURS} tail"
LANE, STRICT = f"{OURS}, ordering lane", f"{OURS}, ordering strict"
THROTTLED = "5 % of records throttled"
ERRORS, SILENCE = "every answer is 503", "no answer comes"
STREAM, FORWARDER = "a stream", "a forwarder too"
BUDGETS = (
    Budget("delivery alone, records of 800 bytes", "delivery", "cpu", CPU, DELIVERY, 3.5, 2.5, to="HTTP"),
    Budget("batches of 50 in, acknowledged PutRecords out", "serve", "cpu", CPU, OURS, 8, 6, BATCH, "HTTP"),
    Budget("one event a request, acknowledged", "serve", "cpu", CPU, OURS, 28, 22, SINGLE, "HTTP"),
    Budget("use of throttling shards", "goodput", "share", "% of limits", OURS, 98, 99, at_least=True),
    Budget("acknowledged there, then lost", "goodput", "lost", "records", OURS, 0, 0),
    Budget("inversions of a key's order, strict", "losses", "inversions", "records", STRICT, 0, 0, THROTTLED),
    Budget("records missing, strict", "losses", "missing", "records", STRICT, 0, 0, THROTTLED),
    Budget("a worker's memory, every answer 503", "outage", "most", "MiB", OURS, 256, 128, ERRORS),
    Budget("a worker's memory, no answer", "outage", "most", "MiB", OURS, 256, 128, SILENCE),
    Budget("`cdk synth` of a stream, beside bare resources", "synth", "ratio", "x", OURS, 1.15, 1.05, STREAM),
    Budget("the same with a forwarder", "synth", "ratio", "x", OURS, 1.15, 1.05, FORWARDER),
    Budget("the HTTP side alone, one event a request", "ingest", "cpu", CPU, OURS, 20, 17, SINGLE),
    Budget("`headgate tail`", "tail", "cpu", CPU, TAIL, 20, None, to="TLS"),
)
"""Those of this project's design, and of two of its parts."""


def over(name: str, section: Section) -> bool:
    """Return whether a section's measurement is over a budget."""
    budgets = [budget for budget in BUDGETS if budget.section == name]
    return not all(budget.kept(budget.value(section), budget.must) for budget in budgets)


def conclude(name: str, report: Callable[[Section], str], rows: Iterable[Row], **settings: Any) -> NoReturn:
    """Keep what was measured, print it, and end: with status 1 when it is over a budget."""
    section = store(name, rows, **settings)
    print(report(section))
    sys.exit(over(name, section))
