"""docs/benchmarks.md and its pictures are what the stored figures render to."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import results
from bench.budgets import BUDGETS, STRICT, THROTTLED, over
from bench.document import pictures, render, summary
from bench.growth.report import worse_than_linear
from bench.results import OURS, Row, Section, load, store


@pytest.fixture(scope="module")
def sections() -> dict[str, Section]:
    return load()


def test_the_document_is_what_the_stored_figures_render_to(sections: dict[str, Section]) -> None:
    for path, content in render.documents(sections).items():
        assert path.read_text(encoding="utf-8") == content, f"python -m bench.document writes {path.name}"


def test_every_part_and_every_budget_has_been_measured(sections: dict[str, Section]) -> None:
    assert {name for _, _, name, _ in render.PARTS} == sections.keys()
    assert {budget.section for budget in BUDGETS} <= sections.keys()
    assert all(runs for section in sections.values() for row in section.rows for runs in row.figures.values())


def test_pictures_are_well_formed_and_readable_on_dark_paper(sections: dict[str, Section]) -> None:
    for picture in (pictures.cost(sections), pictures.curves(sections["growth"])):
        ET.fromstring(picture)
        assert "prefers-color-scheme: dark" in picture
        assert not re.search(r"nan|inf", picture)


def section(*rows: Row) -> Section:
    return Section("2026-01-01", {}, {"connections": 1}, list(rows))


def row(who: str, what: str = "", to: str = "", **figures: float) -> Row:
    return Row(who, what, to, {name: [value] for name, value in figures.items()})


def test_a_figure_at_which_a_peer_is_better_is_named_and_no_other() -> None:
    sections = {
        "delivery": section(
            row(f"{OURS}, CBOR, requests of 50", to="HTTP", cpu=2.0, rate=100.0),
            row("peer", to="HTTP", cpu=3.0, rate=150.0),
        )
    }
    *_, named = summary.losses(sections).splitlines()
    assert named == (
        "| throughput of delivery alone, HTTP | records a second | peer | 150 | CBOR, requests of 50 100 |"
    )


def test_a_budget_that_is_not_met_is_named() -> None:
    measured = section(row(f"{OURS}, CBOR, requests of 50", to="HTTP", cpu=3.6, rate=1.0))
    assert over("delivery", measured)
    assert "its budget is 3.5" in summary.losses({"delivery": measured})
    assert not over("delivery", section(row(f"{OURS}, CBOR, requests of 50", to="HTTP", cpu=3.5)))


def test_a_peer_that_lost_records_does_not_win_by_being_done_sooner() -> None:
    ours = row(STRICT, THROTTLED, missing=0, inversions=0, seconds=100)
    stopped = row("peer", THROTTLED, missing=9_000, inversions=0, seconds=2)
    whole = row("peer", THROTTLED, missing=0, inversions=7, seconds=8)
    assert summary.losses({"losses": section(ours, stopped)}) == ""
    assert "time to deliver all" in summary.losses({"losses": section(ours, whole)})


def test_growth_that_is_worse_than_linear_is_named() -> None:
    def grown(cost: float) -> Section:
        return section(
            row(OURS, "shards", size=1, cpu=6, memory=1), row(OURS, "shards", size=10, cpu=cost, memory=1)
        )

    assert worse_than_linear(grown(61)) == []
    assert worse_than_linear(grown(80)) == ["shards, from 1 to 10: cost x 13.3"]
    assert "worse than linear" in summary.losses({"growth": grown(80)})


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "PATH", tmp_path / "benchmarks.json")
    store("serve", [row(OURS, cpu=7.123456)], rounds=1)
    store("tail", [row(OURS, cpu=1.0)])
    store("serve", [Row(OURS, figures={"cpu": [5.0, 7.0, 6.0]})], rounds=3)
    read = load(tmp_path / "benchmarks.json")
    assert read["serve"].row(OURS)["cpu"] == 6
    assert read["serve"].settings == {"rounds": 3}
    assert read.keys() == {"serve", "tail"}
    assert '"cpu": [5.0, 7.0, 6.0]' in (tmp_path / "benchmarks.json").read_text()
    assert json.loads((tmp_path / "benchmarks.json").read_text())["tail"]["machine"]["Python"]
