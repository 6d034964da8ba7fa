"""What the document says of growth."""

from itertools import pairwise
from math import log

from bench.growth.axes import CONNECTIONS
from bench.results import Row, Section
from bench.tables import table
from headgate.server import MOST_PREPARED

FIGURES = ("cpu", "events", "memory", "start")
FIRST_TO_COUNT = 1_000
"""Connections from which on their memory is counted."""
NOISE = 1.25
"""Two neighbours' cost may grow by so much more than their size before it is called worse than linear."""


def report(section: Section) -> str:
    settings = section.settings
    parts = [
        f"""\
`headgate serve` in front of the stand-in, driven by wrk over {settings["connections"]} connections with
batches of 50 events (of 10, where their size grows). What does not grow is 1 destination, 8 shards, 1
worker. CPU is that of all of its processes; events a second are those of a machine whose cores wrk and
the stand-in use, too. To start is until a worker knows the shards of its destinations, of {MOST_PREPARED} at
most: those beyond are met with their first events, before the measurement. Exponents are of the cost from
the smallest to the largest size: 0 is no growth, 1 is linear."""
    ]
    for name, rows in axes(section).items():
        if name == CONNECTIONS:
            parts.append(_connections(rows))
            continue
        head = [name, "CPU s per million events", "events a second", "MiB at most", "CPU s to start"]
        cells = [[int(row["size"]), *(row[each] for each in FIGURES)] for row in rows]
        parts.append(f"{table(head, cells)}\n\nExponent of CPU per event: {exponent(rows, 'cpu'):.2f}.")
    worse = worse_than_linear(section)
    parts.append(
        "Nothing here grows faster than linearly."
        if not worse
        else "**Worse than linear:**\n\n" + "\n".join(f"- {each}" for each in worse)
    )
    return "\n\n".join(parts)


def axes(section: Section) -> dict[str, list[Row]]:
    """The rows of each axis, from small to large; of connections ours alone."""
    found: dict[str, list[Row]] = {}
    for row in section.rows:
        found.setdefault(row.what, []).append(row)
    return found


def exponent(rows: list[Row], figure: str) -> float:
    first, last = rows[0], rows[-1]
    return log(last[figure] / first[figure]) / log(last["size"] / first["size"])


def worse_than_linear(section: Section) -> list[str]:
    """Name the steps at which a cost grew faster than what it is the cost of."""
    return [
        f"{name}, from {before:,.0f} to {after:,.0f}: cost x {then / now:.1f}"
        for name, rows in axes(section).items()
        for (before, small, now), (after, large, then) in pairwise(_costs(name, rows))
        if then / now > large / small * NOISE
    ]


def _costs(name: str, rows: list[Row]) -> list[tuple[float, float, float]]:
    """Sizes as they are called, sizes to compare, and what they cost."""
    ours = [row for row in rows if row.ours]
    if name != CONNECTIONS:
        return [(row["size"], row["size"], row["cpu"]) for row in ours]
    # The first connections live in memory that a worker has to spare when it begins.
    first, *more = [row for row in ours if row["size"] >= FIRST_TO_COUNT]
    return [(row["size"], row["size"] - first["size"], row["memory"] - first["memory"]) for row in more]


def _connections(rows: list[Row]) -> str:
    who = list(dict.fromkeys(row.who for row in rows))
    sizes = sorted({row["size"] for row in rows})
    by = {(row.who, row["size"]): row["memory"] for row in rows}
    cells = [[int(size), *(by[each, size] for each in who)] for size in sizes]
    first, most = FIRST_TO_COUNT, sizes[-1]
    each = ", ".join(
        f"{name} {(by[name, most] - by[name, first]) / (most - first) * 1024:.1f}" for name in who
    )
    head = [CONNECTIONS, *(f"{name}, MiB" for name in who)]
    return f"{table(head, cells)}\n\nKiB of a connection, from {first:,} on: {each}."
