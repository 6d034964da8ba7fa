"""The budgets in one table, and what is lost at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.budgets import BUDGETS, Budget
from bench.growth import report as growth
from bench.results import OURS, Row, Section
from bench.tables import shown, table


@dataclass(frozen=True)
class Compared:
    """A figure by which we and the others are compared."""

    section: str
    figure: str
    called: str
    unit: str
    more: bool = False
    """Whether more is better."""
    least: float = 0.0
    """A difference that is too small to be one, in the unit."""


LEVEL = 0.05
"""Who is better by no more of it is level."""
COMPARED = (
    Compared("delivery", "cpu", "CPU of delivery alone", "s per million"),
    Compared("delivery", "rate", "throughput of delivery alone", "records a second", more=True),
    Compared("serve", "cpu", "CPU of the whole forwarder", "s per million"),
    Compared("serve", "events", "throughput of the whole forwarder", "events a second", more=True),
    Compared("serve", "p99", "slowest answers of the whole forwarder (p99)", "ms"),
    Compared("serve", "memory", "memory of the whole forwarder", "MiB"),
    Compared("acknowledge", "p50", "median time to an acknowledgement", "ms"),
    Compared("acknowledge", "p99", "slowest acknowledgements (p99)", "ms"),
    Compared("losses", "missing", "records lost", "records"),
    Compared("losses", "duplicates", "duplicates", "records"),
    Compared("losses", "inversions", "order", "inversions"),
    Compared("losses", "seconds", "time to deliver all", "s", least=2),
    Compared("goodput", "share", "use of throttling shards", "% of their limits", more=True),
    Compared("growth", "memory", "memory with idle connections", "MiB"),
    Compared("ingest", "cpu", "CPU of the HTTP side", "s per million"),
    Compared("tail", "cpu", "CPU of reading a stream back", "s per million"),
    Compared("tail", "memory", "memory of reading a stream back", "MiB"),
    Compared("tail", "rate", "speed of reading a stream back", "records a second", more=True),
)


def budgets(sections: Mapping[str, Section]) -> str:
    """The table of what is allowed, what was measured, and who is second or first."""
    rows = [_budget(budget, sections[budget.section]) for budget in BUDGETS if budget.section in sections]
    return table(
        ["work", "unit", "must", "aim", "Headgate", "met", "best peer here", "peer / Headgate"], rows
    )


def _budget(budget: Budget, section: Section) -> list[object]:
    value, peer = budget.value(section), budget.best_peer(section)
    met = "**no**" if not budget.kept(value, budget.must) else "must"
    if met == "must" and budget.aim is not None and budget.kept(value, budget.aim):
        met = "aim"
    beside: list[object] = ["", ""]
    if peer is not None:
        ratio = f"{peer[budget.figure] / value:.2g}" if value else ""
        beside = [f"{peer.who}: {plain(peer[budget.figure])}", ratio]
    aim = "" if budget.aim is None else f"{budget.aim:g}"
    return [budget.work, budget.unit, f"{budget.must:g}", aim, plain(value), met, *beside]


def plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else shown(value)


def losses(sections: Mapping[str, Section]) -> str:
    """Where a budget is not met, a peer is better, or a cost grows faster than what it is the cost of."""
    over = [
        f"- {each.work}: {plain(value)} {each.unit}; its budget is {each.must:g}"
        for each in BUDGETS
        if each.section in sections and not each.kept(value := each.value(sections[each.section]), each.must)
    ]
    worse = growth.worse_than_linear(sections["growth"]) if "growth" in sections else []
    over += [f"- growth worse than linear: {each}" for each in worse]
    beaten = [
        row for one in COMPARED if one.section in sections for row in _beaten(one, sections[one.section])
    ]
    parts = ["\n".join(over)] if over else []
    if beaten:
        parts.append(table(["at what", "unit", "who is better", "theirs", "Headgate's"], beaten))
    return "\n\n".join(parts)


def _beaten(compared: Compared, section: Section) -> Iterator[list[str]]:
    """Give a row for each work at which somebody else is better than the worst of ours."""
    figure = compared.figure
    for (what, to), rows in _comparable(section).items():
        peers = [row for row in rows if not row.ours and figure in row.figures and _whole(row, figure)]
        if not peers:
            continue
        best = (max if compared.more else min)(peers, key=lambda row: row[figure])
        behind = [
            row for row in rows
            if row.ours and figure in row.figures and _better(best[figure], row[figure], compared)
        ]  # fmt: skip
        if behind:
            where = [compared.called, *(each for each in (what, to) if each)]
            ours = "; ".join(f"{_of(row)}{plain(row[figure])}" for row in behind)
            yield [", ".join(where), compared.unit, best.who, plain(best[figure]), ours]


def _of(row: Row) -> str:
    """Which of ours it is, where there are several."""
    which = row.who.removeprefix(OURS).lstrip(", ")
    return f"{which} " if which else ""


def _comparable(section: Section) -> dict[tuple[str, str], list[Row]]:
    """Rows of the same work; of growth, with the same size."""
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in section.rows:
        size = f" {row['size']:,.0f}" if "size" in row.figures else ""
        kinds.setdefault((f"{row.what}{size}", row.to), []).append(row)
    return kinds


def _whole(row: Row, figure: str) -> bool:
    """Whether a peer did the work at all: who stops halfway is done sooner, and disorders less."""
    return figure == "missing" or not ("missing" in row.figures and row["missing"])


def _better(peer: float, ours: float, compared: Compared) -> bool:
    """Whether a peer is better by more than repeats confirm."""
    more, less = (peer, ours) if compared.more else (ours, peer)
    return more > less * (1 + LEVEL) + compared.least
