"""The loads at which one choice overtakes the other, for events of one size. Exact."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from headgate.planning.costs import (
    Component,
    Deployment,
    Mode,
    endpoints,
    nat_gateways,
    on_demand,
    provisioned,
)
from headgate.planning.load import Load, exact
from headgate.planning.prices import Prices
from headgate.planning.shards import uses

MOST_SHARDS = 20_000
"""Where the search ends: what an account may have in the largest regions (Kinesis quotas)."""


@dataclass(frozen=True, slots=True)
class Crossover:
    """A load at which one mode of a stream overtakes the other.

    Attributes:
        events_per_second: the load; the mean, as in `Load`.
        cheaper_above: the mode that costs less just above it.
        cause: `"even"` where both cost the same at that load, `"shards"` where anything above it needs more
            shards than the load itself, so that the cost of a provisioned stream jumps.
    """

    events_per_second: Fraction
    cheaper_above: Mode
    cause: Literal["even", "shards"]


def crossovers(load: Load, price: Prices) -> Iterator[Crossover]:
    """Yield the loads at which provisioned and on demand overtake each other, the lowest first.

    On demand a stream costs a straight line over the load. Provisioned it costs one too as long as the
    shards stay the same, and jumps where it needs more. So between two such steps both are lines and meet
    once at most, and at a step the jump may put the one above the other: where prices are almost even, they
    overtake each other at every step.

    Args:
        load: of which all but `events_per_second` counts.
        price: the prices.
    """
    headroom = exact(load.headroom)
    per_event = max(use.amount / use.limit for use in uses(load).values()) / load.events
    demand = _Line.of(lambda each: on_demand(each, price), load)
    one_shard = _Line.of(lambda each: provisioned(each, 1, price), load)
    # On demand less provisioned: the rest without shards and load, and what an event and a shard change.
    base, slope, a_shard = demand.fixed, demand.each - one_shard.each, one_shard.fixed
    cheaper: Mode | None = None
    for step in range(1, _last_step(base, slope, a_shard, headroom, per_event) + 1):
        low, high = (step - 1) / per_event, step / per_event
        without = base - a_shard * math.ceil(step * headroom)
        at_low = without + slope * low
        now = _cheaper(at_low or slope)
        if cheaper is not None and now != cheaper:
            yield Crossover(low, now, "shards")
        cheaper = now
        at_high = without + slope * high
        if at_low * at_high < 0:
            cheaper = _cheaper(at_high)
            yield Crossover(-without / slope, cheaper, "even")


def _last_step(
    base: Fraction, slope: Fraction, a_shard: Fraction, headroom: Fraction, per_event: Fraction
) -> int:
    """Return the step, counted in shards before headroom, after which neither overtakes the other again.

    So many events a second need at least `events * per_event * headroom` shards, and less than `headroom + 1`
    more than that: the difference keeps between two lines, and both of them cross zero.
    """
    most = math.floor(MOST_SHARDS / headroom)
    drift = slope - a_shard * headroom * per_event
    if not drift:
        return most
    crossed = (a_shard * (headroom + 1) - base) / drift if drift > 0 else base / -drift
    return min(most, max(0, math.floor(crossed * per_event)) + 2)


def _cheaper(dearer_on_demand: Fraction) -> Mode:
    return "on demand" if dearer_on_demand < 0 else "provisioned"


def even_endpoints(load: Load, deployment: Deployment, price: Prices) -> Fraction:
    """Return the events a second above which VPC endpoints cost less than NAT gateways."""
    private = _Line.of(lambda each: endpoints(each, deployment, price), load)
    nat = _Line.of(lambda each: nat_gateways(each, deployment, price), load)
    return (private.fixed - nat.fixed) / (nat.each - private.each)


@dataclass(frozen=True, slots=True)
class _Line:
    """A cost that is a straight line over the load."""

    fixed: Fraction
    each: Fraction
    """What one event a second adds."""

    @classmethod
    def of(cls, cost: Callable[[Load], Component], load: Load) -> "_Line":
        once = cost(load).dollars
        twice = cost(replace(load, events_per_second=2 * load.events)).dollars
        return cls(2 * once - twice, (twice - once) / load.events)
