"""The document, part by part, in the order in which it is read."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.acknowledge import report as acknowledge
from bench.delivery import report as delivery
from bench.document import pictures, summary
from bench.goodput import report as goodput
from bench.growth import report as growth
from bench.ingest import report as ingest
from bench.ingest import spec
from bench.losses import report as losses
from bench.outage import report as outage
from bench.results import OURS, PATH, Section
from bench.serve import report as serve
from bench.synth import report as synth
from bench.tables import table
from bench.tail import report as tail
from bench.wire import report as wire

DOCS = PATH.parent
PARTS: tuple[tuple[str, str, str, Callable[[Section], str]], ...] = (
    ("CPU per million events", "Delivery alone", "delivery", delivery.cost),
    ("", "The whole forwarder", "serve", serve.cost),
    ("Throughput", "Delivery alone", "delivery", delivery.throughput),
    ("", "The whole forwarder", "serve", serve.throughput),
    ("Time to an acknowledgement", "", "acknowledge", acknowledge.report),
    ("Losses, duplicates and order", "", "losses", losses.report),
    ("Shards that throttle", "", "goodput", goodput.report),
    ("Memory while Kinesis is down", "", "outage", outage.report),
    ("Growth", "", "growth", growth.report),
    ("`cdk synth`", "", "synth", synth.report),
    ("Parts", "The HTTP side", "ingest", ingest.report),
    ("", "What an event costs in `spec`", "spec", spec.report),
    ("", "The wire", "wire", wire.report),
    ("", "Reading a stream back", "tail", tail.report),
)
"""Heading, heading below it, section, and what is said."""
GROWTH = "![Growth of cost, from small to large](benchmarks-growth.svg)\n\n"


def documents(sections: Mapping[str, Section]) -> dict[Path, str]:
    """Return what each file is to hold."""
    made = {DOCS / "benchmarks.md": document(sections)}
    if {"delivery", "serve"} <= sections.keys():
        made[DOCS / "benchmarks.svg"] = pictures.cost(sections)
    if "growth" in sections:
        made[DOCS / "benchmarks-growth.svg"] = pictures.curves(sections["growth"])
    return made


def document(sections: Mapping[str, Section]) -> str:
    parts = [_head(sections)]
    for heading, below, name, said in PARTS:
        if name not in sections:
            continue
        section = sections[name]
        picture = GROWTH if name == "growth" else ""
        titles = [f"## {heading}"] * bool(heading) + [f"### {below}"] * bool(below)
        parts += [*titles, _how(name, section, newest(sections)), f"{picture}{said(section)}"]
    return "\n\n".join([*parts, NOT_MEASURED]) + "\n"


def _head(sections: Mapping[str, Section]) -> str:
    first = ("cores", "system", OURS)
    named = sorted(newest(sections).machine.items(), key=lambda item: (item[0] not in first, item[0].lower()))
    machine = table(["measured on", newest(sections).date], named)
    return f"""\
# Benchmarks

What Headgate takes, beside what else delivers events into Kinesis and installs from PyPI and npm, pair by
pair in one run, at the same stand-in. `make bench` measures all of it again and writes this page, with its
pictures, from [benchmarks.json](benchmarks.json), which has every single run; what each measurement is
stands in [bench/README.md](../bench/README.md).

**Compare within a table, not between.** CPU is that of the measured processes alone, user and system.
Clients and the stand-in run on the same machine, and repeats differ by 20 %: the claims here are CPU per
event and ratios. Events a second and milliseconds are those of this machine.

![CPU seconds per million events, beside the peers](benchmarks.svg)

{machine}

## The budgets

{summary.budgets(sections)}

Peers stand here where they do the same work. None of them does all of it: they keep no order, bound no
memory, and lose what [the losses](#losses-duplicates-and-order) show.

## What Headgate loses at

Every budget that is not met, and every figure below at which somebody is better than one of Headgate's own
rows by more than 5 %:

{summary.losses(sections)}

By design: a record waits 5 ms for company before it is sent, and a shard's records for the request before
them, so an answer takes up to twice what Kinesis takes. `ordering = "strict"` sends one record of a key at a
time. A worker uses one core. It gets to know a destination before it sends to it, at some milliseconds of
CPU: up to 64 of them before it listens (*CPU s to start* under [Growth](#growth)), the others with their
first events, whose answers wait for it."""


def newest(sections: Mapping[str, Section]) -> Section:
    """The section that was measured last."""
    return max(sections.values(), key=lambda section: section.date)


def _how(name: str, section: Section, latest: Section) -> str:
    """How a part was measured, and on what where that differs from what the page begins with."""
    command = f"`python -m bench.{'ingest.spec' if name == 'spec' else name}`"
    told = [
        f"{section.settings[each]:,} {unit}"
        for each, unit in {"rounds": "repeats", "seconds": "seconds each", "records": "records"}.items()
        if each in section.settings
    ]
    elsewhere = [
        f"{each} {found}" for each, found in section.machine.items() if latest.machine.get(each) != found
    ]
    kind = "; medians" if "rounds" in section.settings else ""
    return f"*{', '.join([command, section.date, *told, *elsewhere])}{kind}.*"


NOT_MEASURED = """\
## Not measured here

What is on neither PyPI nor npm has no part in the run: fluent-bit, Vector, the Kinesis Producer Library,
RudderStack. fluent-bit 5.1.1, in C, acknowledging before Kinesis has the event, took 28 to 48 CPU seconds
per million single events and 12 to 14 for batches on another machine of two cores (22 with its disk buffer):
for single events it may be level with Headgate. Nothing was measured at the real Kinesis; the stand-in
checks no signature."""
