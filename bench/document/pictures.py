"""What is drawn: CPU per million events beside the peers, and curves of growth."""

from collections.abc import Mapping, Sequence
from math import log10

from bench.budgets import BATCH, BUDGETS, SINGLE, Budget
from bench.document.svg import bar, dot, line, picture, text
from bench.growth import report as growth
from bench.growth.axes import CONNECTIONS
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
    """Bars from the least to the most, and where the budget of one of them ends."""
    room = WIDTH - LABEL - 60
    scale = room / max(*(row["cpu"] for row in rows), budget.must)
    shapes, y = [], top
    for row in sorted(rows, key=lambda row: row["cpu"]):
        end, said = LABEL + row["cpu"] * scale, shown(row["cpu"])
        shapes += [
            text(LABEL - 8, y + 15, row.who, anchor="end"),
            bar(LABEL, y, row["cpu"] * scale, BAR, "ours" if row.ours else "peer"),
        ]
        if row.who == budget.who:
            bound = LABEL + budget.must * scale
            shapes.append(line([(bound, y - 4), (bound, y + BAR + 4)], "bound"))
            end, said = max(end, bound), f"{said}; must: {budget.must:g}"
        shapes.append(text(end + 6, y + 15, said, "small"))
        y += BAR + GAP
    return shapes, y - top


def curves(section: Section) -> str:
    """A curve for each axis of growth, both of its scales logarithmic, with what linear growth would be."""
    shapes = [text(0, 18, "Growth: cost against size, both logarithmic; dashed: linear", "title")]
    for number, (name, rows) in enumerate(growth.axes(section).items()):
        x, y = (number % 3) * CELL, 30 + (number // 3) * CELL_HEIGHT
        idle = name == CONNECTIONS
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
            "axis",
        ),
        line([place(first, begin), place(end, begin * end / first)], "linear"),
        line([place(*point) for point in points], "ours"),
    ]
    for size, cost in points:
        x, y = place(size, cost)
        shapes += [dot(x, y, "ours"), text(x, corner + 15, _short(size), "small", "middle")]
    for point, anchor in ((points[0], "start"), (points[-1], "end")):
        x, y = place(*point)
        shapes.append(text(x, y - 8, shown(point[1]), "small", anchor))
    return shapes


def _short(size: float) -> str:
    return f"{size / 1_000:g}k" if size >= 1_000 else f"{size:g}"
