"""What was measured, in one file: every measurement writes its section, and the document is made of all.

A row says who did what (`who`, `what`, `to`) and has each figure of each run.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import JAVASCRIPT, PEERS, ROOT

PATH = ROOT / "docs" / "benchmarks.json"
OURS = "Headgate"
"""What every row of ours begins with."""
DIGITS = 4
"""That are kept of a figure: more than any repeat confirms."""


@dataclass(frozen=True)
class Row:
    """What one did with one kind of work."""

    who: str
    what: str = ""
    to: str = ""
    """How Kinesis was reached: HTTP or TLS; empty where that makes no difference."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """By name, of each run."""

    @property
    def ours(self) -> bool:
        return self.who.startswith(OURS)

    def add(self, **figures: float) -> None:
        """Keep the figures of one more run."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def __getitem__(self, figure: str) -> float:
        """The median of the runs."""
        return median(self.figures[figure])


@dataclass(frozen=True)
class Section:
    """One measurement."""

    date: str
    machine: dict[str, str]
    settings: dict[str, Any]
    """What it was told: repeats, seconds, records."""
    rows: list[Row]

    def row(self, who: str, what: str = "", to: str = "") -> Row:
        """The one row of someone's work."""
        [found] = [row for row in self.rows if (row.who, row.what, row.to) == (who, what, to)]
        return found

    def kinds(self) -> dict[tuple[str, str], list[Row]]:
        """The rows that can be compared: of the same work, over the same protocol."""
        kinds: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            kinds.setdefault((row.what, row.to), []).append(row)
        return kinds


def store(name: str, rows: Iterable[Row], **settings: Any) -> Section:
    """Write a section in place of its last measurement, and return it."""
    kept = [
        Row(row.who, row.what, row.to, {each: rounded(runs) for each, runs in row.figures.items()})
        for row in rows
    ]
    made = Section(datetime.now(UTC).date().isoformat(), machine(), settings, kept)
    everything = json.loads(PATH.read_text()) if PATH.exists() else {}
    everything[name] = asdict(made)
    text = json.dumps(everything, indent=1, sort_keys=True, ensure_ascii=False)
    # The runs of a figure stand in one line.
    PATH.write_text(
        re.sub(r"\[\s+([-\d.,\se]+?)\s+\]", lambda runs: f"[{' '.join(runs[1].split())}]", text) + "\n"
    )
    return made


def load(path: Path = PATH) -> dict[str, Section]:
    """Read every section."""
    return {
        name: Section(
            section["date"],
            section["machine"],
            section["settings"],
            [Row(**row) for row in section["rows"]],
        )
        for name, section in json.loads(path.read_text()).items()
    }


def rounded(runs: Sequence[float]) -> list[float]:
    return [float(f"{run:.{DIGITS}g}") for run in runs]


def machine() -> dict[str, str]:
    """What figures depend on, by what the document calls it."""
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return {
        "cores": f"{len(os.sched_getaffinity(0))} of {model}",
        "system": f"Linux {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "Headgate": version("headgate"),
        **{name: version(name) for name in ("boto3", "uvloop", "httptools", "msgspec")},
        **{name: found for name in ("aiobotocore", "fastapi", "uvicorn") if (found := _peer(name))},
        **({"AWS SDK for JavaScript": found} if (found := _javascript()) else {}),
    }


def _peer(name: str) -> str | None:
    """The version of a package in the peers' own environment."""
    found = sorted((PEERS.parents[1] / "lib").glob(f"python*/site-packages/{name}-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").partition("-")[2] if found else None


def _javascript() -> str | None:
    package = JAVASCRIPT / "node_modules/@aws-sdk/client-kinesis/package.json"
    return str(json.loads(package.read_text())["version"]) if package.exists() else None


def demand_peers() -> None:
    """End where those to compare with are not installed."""
    if not PEERS.exists() or not (JAVASCRIPT / "node_modules").exists():
        sys.exit("the peers have environments of their own; `make bench` makes them")
