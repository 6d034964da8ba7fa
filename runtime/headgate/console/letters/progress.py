"""What is done with the letters, as the page shows it: how far it is, and what came of it. Pure."""

from typing import Any

from headgate.console.letters.texts import cut, where
from headgate.console.letters.work import Counting, Looking, Sending, Work

MOST_ROWS = 200
"""Destinations, reasons or groups that are shown."""


def figures(work: Work) -> dict[str, Any]:
    """Return what the page shows of something that goes on."""
    what, counts = "Looking", ""
    if isinstance(work, Looking):
        counts = f"{work.found:,} found"
    elif isinstance(work, Counting):
        what, counts = "Dry run", f"{work.records:,} counted"
    elif isinstance(work, Sending):
        what, counts = "Sending", _counts(work)
    return {"what": what, "counts": counts, "seen": work.seen, "total": work.total, "unit": work.unit}


def _counts(work: Sending) -> str:
    return f"{work.tally.sent:,} sent, {work.tally.kept.total() + work.tally.unreadable:,} kept"


def work_part(work: Work) -> dict[str, Any]:
    """Return what the part needs that shows something which goes on, or is over."""
    kind = type(work).__name__.lower()
    values = figures(work) | {
        "kind": kind,
        "number": work.number,
        "over": work.over.is_set(),
        "fault": work.fault,
        "stopped": work.stopped,
        "focused": False,
        "fresh": False,
    }
    if isinstance(work, Counting | Sending):
        values |= {"said": work.bundle.said, "per_second": work.bundle.per_second}
    if isinstance(work, Counting):
        values |= {
            "plan": [
                (where(origin), f"{records:,}", f"{size / 1000:,.1f}", origin in work.origins)
                for origin, (records, size) in list(work.summary.by_origin().items())[:MOST_ROWS]
            ],
            "records": work.records,
            "sendable": work.records - work.unreadable,
            "unreadable": work.unreadable,
        }
    if isinstance(work, Sending):
        values |= {
            "kept": [
                (cut(destination), cut(code), cut(reason, 2_000), count)
                for (destination, code, reason), count in work.tally.kept.most_common(MOST_ROWS)
            ],
            "unreadable": work.tally.unreadable,
            "stuck": work.tally.stuck,
        }
    return values
