"""What is drawn: CPU per million events beside the peers, and curves of growth."""

from collections.abc import Mapping, Sequence
from math import log10

from bench.budgets import BATCH, BUDGETS, SINGLE, Budget
from bench.document.svg import bar, dot, line, picture, text
from bench.growth import report as growth
from bench.results import OURS, Row, Section
from bench.tables import shown

WIDTH = 760
LABEL, BAR, GAP = 300, 22, 8
PANELS = {
    "delivery": "delivery alone",
    BATCH: f"whole forwarder, {BATCH}",
    SINGLE: f"whole forwarder, {SINGLE}",
}
CELL, CELL_HEIGHT, MARGIN = WIDTH / 3, 210, 46


def cost(sections: Mapping[str, Section]) -> str:
    """CPU seconds per million events over HTTP, one panel for each kind of work."""
    panels = [("delivery", [row for row in sections["delivery"].rows if row.to == "HTTP"])]
    panels += [
        (kind, [row for row in sections["serve"].rows if (row.what, row.to) == (kind, "HTTP")])
        for kind in (BATCH, SINGLE)
    ]
    shapes, y = [text(0, 18, "CPU seconds per million events (less is better)", "title")], 40.0
    for name, rows in panels:
        shapes.append(text(0, y + 12, PANELS[name], "title"))
        y += 24
        [budget] = [
            each
            for each in BUDGETS
            if each.figure == "cpu" and name in (each.section, each.what) and each.to == "HTTP"
        ]
        drawn, height = _bars(rows, budget, y)
        shapes += drawn
        y += height + 20
    return picture(WIDTH, y, "CPU seconds per million events", shapes)


def _bars(rows: Sequence[Row], budget: Budget, top: float) -> tuple[list[str], float]:
    """Bars from the least to the most, and where the budget ends."""
    room = WIDTH - LABEL - 60
    scale = room / max(*(row["cpu"] for row in rows), budget.must)
    shapes, y = [], top
    for row in sorted(rows, key=lambda row: row["cpu"]):
        kind = "ours" if row.ours else "peer"
        shapes += [
            text(LABEL - 8, y + 15, row.who, anchor="end"),
            bar(LABEL, y, row["cpu"] * scale, BAR, kind),
            text(LABEL + row["cpu"] * scale + 6, y + 15, shown(row["cpu"]), "small"),
        ]
        y += BAR + GAP
    at = LABEL + budget.must * scale
    shapes.append(line([(at, top - 4), (at, y - GAP + 4)], "bound"))
    shapes.append(text(at, y + 6, f"must: {budget.must:g}", "small", "middle"))
    return shapes, y - top + 6


def curves(section: Section) -> str:
    """A curve for each axis of growth, both of its scales logarithmic, with what linear growth would be."""
    shapes = [text(0, 18, "Growth: cost against size, both logarithmic; dashed: linear", "title")]
    for number, (name, rows) in enumerate(growth.axes(section).items()):
        x, y = (number % 3) * CELL, 30 + (number // 3) * CELL_HEIGHT
        idle = name == growth.CONNECTIONS
        figure, unit = ("memory", "MiB") if idle else ("cpu", "CPU s per million events")
        ours = [(row["size"], row[figure]) for row in rows if row.who == OURS and row["size"]]
        shapes += [text(x, y + 16, name, "title"), text(x, y + 32, unit, "small")]
        shapes += _curve(ours, x, y + 40)
    rows_of_cells = -(-len(growth.axes(section)) // 3)
    return picture(WIDTH, 30 + rows_of_cells * CELL_HEIGHT, "Growth", shapes)


def _curve(points: Sequence[tuple[float, float]], left: float, top: float) -> list[str]:
    """One curve in its cell."""
    (first, begin), (last, _) = points[0], points[-1]
    width, height = CELL - 2 * MARGIN + 20, CELL_HEIGHT - 40 - 40
    low = min(cost for _, cost in points) / 2
    high = max(*(cost for _, cost in points), begin * 10) * 1.2

    def place(size: float, cost: float) -> tuple[float, float]:
        across = log10(size / first) / log10(last / first)
        up = log10(min(cost, high) / low) / log10(high / low)
        return left + MARGIN + across * width, top + height - up * height

    # Linear growth leaves the cell at the top.
    end = min(last, first * high / begin)
    corner = top + height
    shapes = [
        line(
            [(left + MARGIN - 6, top), (left + MARGIN - 6, corner), (left + MARGIN + width, corner)],
            "axis line",
        ),
        line([place(first, begin), place(end, begin * end / first)], "linear"),
        line([place(*point) for point in points], "ours line"),
    ]
    for size, cost in points:
        x, y = place(size, cost)
        shapes += [dot(x, y, "ours"), text(x, corner + 15, f"{size:,.0f}", "small", "middle")]
    for size, cost in (points[0], points[-1]):
        x, y = place(size, cost)
        shapes.append(text(x, y - 7, shown(cost), "small", "middle"))
    return shapes
