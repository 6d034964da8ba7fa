"""A plan as it is printed: tables for the eye, or one object."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headgate.cli.output import figures_table
from headgate.planning.costs import HOURS, KB, PUT_UNIT, SECONDS, Component, on_demand
from headgate.planning.crossover import MOST_SHARDS, Crossover
from headgate.planning.load import Number
from headgate.planning.plan import Plan
from headgate.planning.shards import shards_for
from headgate.planning.tasks import CPU_TARGET, TLS_MICROSECONDS, Tasks, vcpu_for
from headgate.texts import printable

_MEASURED = (
    "CPU as bench.serve measured it over TLS, or less (docs/benchmarks.md). "
    "The bill has the tasks of the first line."
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from headgate.cli.plan import Origin


def as_object(plan: Plan, origin: "Origin | None", region: str | None) -> dict[str, Any]:
    """Return a plan as one JSON object."""
    load = plan.load
    return {
        "load": {
            "eventsPerSecond": float(load.events),
            "averageBytes": float(load.event_bytes),
            "peakFactor": float(load.peak_factor),
            "headroom": float(load.headroom),
            "consumers": load.consumers,
            "retentionHours": load.retention_hours,
            "fromStream": origin and _origin(origin),
        },
        "shards": plan.shards.count,
        "boundBy": plan.shards.bound_by,
        "limits": [
            {"limit": name, "busiestSecond": float(use.amount), "ofOneShard": use.limit, "shards": use.shards}
            for name, use in plan.shards.uses.items()
        ],
        "billedAs": {
            "recordsPerMonth": float(load.events * SECONDS),
            "putPayloadUnitsPerRecord": load.units(PUT_UNIT),
            "onDemandKilobytesPerRecord": load.units(KB),
        },
        "cheaperStream": plan.cheaper,
        "tasks": [
            {
                "eventsComeAs": how,
                "count": tasks.count,
                "vcpu": float(tasks.size.vcpu),
                "memoryGb": float(tasks.size.gb),
                "cpuMicrosecondsPerEvent": float(TLS_MICROSECONDS[how]),
                "vcpuAtPeak": float(vcpu_for(load, TLS_MICROSECONDS[how])),
                "cpuTarget": float(CPU_TARGET),
            }
            for how, tasks in plan.tasks.items()
        ],
        "costs": [
            _component(each)
            for each in [*plan.streams.values(), *plan.forwarder, plan.endpoints, plan.nat_gateways]
        ],
        "dollarsPerMonth": {mode: _dollars(plan.whole(mode)) for mode in plan.streams},
        "crossovers": [
            {
                "eventsPerSecond": float(each.events_per_second),
                "cheaperAbove": each.cheaper_above,
                "cause": each.cause,
            }
            for each in plan.crossovers
        ],
        "endpointsCheaperAboveEventsPerSecond": float(plan.even_endpoints),
        "prices": {
            "date": plan.table.date,
            "regions": plan.table.regions,
            "source": plan.table.source,
            "holdHere": region is None or region in plan.table.regions,
        },
    }


def _origin(origin: "Origin") -> dict[str, Any]:
    past = origin.past
    return {
        "stream": origin.stream,
        "region": origin.region,
        "since": past.since.isoformat(),
        "minutes": past.minutes,
        "busiestMinute": past.busiest.isoformat(),
    }


def _component(component: Component) -> dict[str, Any]:
    return {
        "component": component.name,
        "dollarsPerMonth": round(float(component.dollars), 2),
        "parts": [
            {"amount": float(part.amount), "what": part.what, "dollarsEach": float(part.price)}
            for part in component.parts
        ],
    }


def _dollars(components: Sequence[Component]) -> float:
    return round(float(sum(each.dollars for each in components)), 2)


def show(terminal: "Console", plan: Plan, origin: "Origin | None", region: str | None) -> None:
    """Print a plan as tables."""
    load = plan.load
    if origin is not None:
        past = origin.past
        terminal.print(
            f"{printable(origin.stream)} in {origin.region} since {past.since:%Y-%m-%d %H:%M} UTC; "
            f"the busiest minute was {past.busiest:%Y-%m-%d %H:%M}"
        )
    terminal.print(
        f"{_number(load.events)} events/s of {_number(load.event_bytes)} bytes, "
        f"at the peak {_number(load.peak_factor)} times as many; "
        f"{_many(load.consumers, 'consumer')}; kept for {load.retention_hours:,} h\n"
    )
    terminal.print(_limits(plan))
    needed = max(1, *(use.shards for use in plan.shards.uses.values()))
    bound_by = plan.shards.bound_by if plan.shards.bound_by != "minimum" else "the minimum"
    terminal.print(
        f"{_many(plan.shards.count, 'shard')}: {needed:,}, bound by {bound_by}, "
        f"x {_number(load.headroom)} of headroom, rounded up\n"
    )
    terminal.print(_tasks(plan))
    terminal.print()
    for table in _costs(plan):
        terminal.print(table)
        terminal.print()
    for line in [_MEASURED, _billing(plan), *_overtaking(plan), _prices(plan, region)]:
        terminal.print(line, soft_wrap=True, markup=False)


def _limits(plan: Plan) -> "Table":
    table = figures_table("limit of a shard", ("busiest second", "of one shard", "shards"))
    for name, use in plan.shards.uses.items():
        table.add_row(name, _number(use.amount), _number(use.limit), f"{use.shards:,}")
    return table


def _tasks(plan: Plan) -> "Table":
    target = f"at {float(CPU_TARGET):.0%} use"
    table = figures_table("tasks, where events come as", ("CPU of each", "vCPU at the peak", target, "tasks"))
    for how, tasks in plan.tasks.items():
        microseconds = TLS_MICROSECONDS[how]
        vcpu = vcpu_for(plan.load, microseconds)
        table.add_row(
            how,
            f"{float(microseconds)} us",
            f"{float(vcpu):,.3f}",
            f"{float(vcpu / CPU_TARGET):,.3f}",
            _size(tasks),
        )
    return table


def _size(tasks: Tasks) -> str:
    size = tasks.size
    return f"{tasks.count:,} of {float(size.vcpu):g} vCPU and {float(size.gb):g} GB"


def _costs(plan: Plan) -> Iterator["Table"]:
    whole = plan.whole(plan.cheaper)
    table = _bill(f"a month of {HOURS} hours", whole)
    table.add_row("all of it", "", f"{_dollars(whole):,.2f}", style="bold")
    yield table
    yield _bill("or, in their place", [plan.streams[plan.dearer], plan.nat_gateways])


def _bill(title: str, components: Sequence[Component]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, no_wrap=True)
    table.add_column("how much")
    table.add_column("US dollars", justify="right", no_wrap=True)
    for each in components:
        table.add_row(each.name, each.how, f"{float(each.dollars):,.2f}")
    return table


def _billing(plan: Plan) -> str:
    load = plan.load
    return (
        f"{_number(load.events * SECONDS / 1_000_000)} million records a month of {SECONDS:,} s, each billed "
        f"as {_many(load.units(PUT_UNIT), 'PUT unit')} of 25 KB or, on demand, as {load.units(KB):,} KB."
    )


def _overtaking(plan: Plan) -> Iterator[str]:
    """Say where the modes overtake each other: next below the load, next above it, and for the last time."""
    found, searched = plan.crossovers, f"up to {MOST_SHARDS:,} shards"
    saved = float(plan.streams[plan.dearer].dollars - plan.streams[plan.cheaper].dollars)
    anywhere = ""
    if not found and plan.shards.count <= MOST_SHARDS:
        anywhere = f"; {plan.cheaper} it costs less at any load of this kind, {searched}"
    yield f"The stream costs {saved:,.2f} less {plan.cheaper} than {plan.dearer}{anywhere}."
    below = [each for each in found if each.events_per_second <= plan.load.events]
    for each in dict.fromkeys([*below[-1:], *found[len(below) : len(below) + 1], *found[-1:]]):
        last = f", for good ({searched})" if each == found[-1] else ""
        above = f"Above {_number(each.events_per_second)} events/s"
        yield f"{above} it costs less {each.cheaper_above}{last}: {_why(plan, each)}."
    even = _number(plan.even_endpoints)
    yield f"VPC endpoints cost less than NAT gateways above {even} events/s of this size."


def _why(plan: Plan, crossover: Crossover) -> str:
    there = replace(plan.load, events_per_second=crossover.events_per_second)
    if crossover.cause == "even":
        return f"there both cost {float(on_demand(there, plan.table.prices).dollars):,.2f}"
    return f"more than that needs more than {_many(shards_for(there).count, 'shard')}"


def _prices(plan: Plan, region: str | None) -> str:
    table = plan.table
    here = "" if region is None or region in table.regions else f"; those of {printable(region)} differ"
    return f"Prices of {' and '.join(table.regions)}{here}; {table.date}, from {table.source}."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _number(value: Number) -> str:
    number = float(value)
    return f"{number:,.2f}".removesuffix(".00") if number >= 0.01 or not number else f"{number:.2g}"
