"""What the document says of growth."""

from itertools import pairwise
from math import log

from bench.growth.axes import CONNECTIONS
from bench.results import Row, Section
from bench.tables import table

FIGURES = ("cpu", "events", "memory", "start")
NOISE = 1.25
"""Two neighbours' cost may grow by so much more than their size before it is called worse than linear."""


def report(section: Section) -> str:
    settings = section.settings
    parts = [
        f"""\
`headgate serve` in front of the stand-in, driven by wrk over {settings["connections"]} connections with
batches of 50 events (of 10, where their size grows). What does not grow is 1 destination, 8 shards, 1
worker. CPU is that of all of its processes; events a second are those of a machine whose cores wrk and
the stand-in use, too. To start is until the shards of every destination are known; until then a worker
answers little. Exponents are of the cost from the smallest to the largest size: 0 is no growth, 1
is linear."""
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
    found = []
    for name, rows in axes(section).items():
        for who in dict.fromkeys(row.who for row in rows if row.ours):
            of = [row for row in rows if row.who == who]
            base = of[0]["memory"] if name == CONNECTIONS else 0.0
            figure = "memory" if name == CONNECTIONS else "cpu"
            steps = [(one, two) for one, two in pairwise(of) if one["size"]]
            found += [
                f"{name}, from {one['size']:,.0f} to {two['size']:,.0f}: {figure} x {grown:.1f}"
                for one, two in steps
                if (grown := (two[figure] - base) / max(one[figure] - base, 0.5))
                > two["size"] / one["size"] * NOISE
            ]
    return found


def _connections(rows: list[Row]) -> str:
    who = list(dict.fromkeys(row.who for row in rows))
    sizes = sorted({row["size"] for row in rows})
    by = {(row.who, row["size"]): row["memory"] for row in rows}
    cells = [[int(size), *(by[each, size] for each in who)] for size in sizes]
    most = sizes[-1]
    each = ", ".join(f"{name} {(by[name, most] - by[name, 0]) / most * 1024:.1f}" for name in who)
    head = [CONNECTIONS, *(f"{name}, MiB" for name in who)]
    return f"{table(head, cells)}\n\nKiB of a connection: {each}."
