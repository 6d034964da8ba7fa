"""What one load needs and costs, worked out from beginning to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from headgate.planning import costs
from headgate.planning.costs import Component, Deployment, Mode
from headgate.planning.crossover import Crossover, crossovers, even_endpoints
from headgate.planning.load import Load
from headgate.planning.prices import PriceTable
from headgate.planning.shards import Shards, shards_for
from headgate.planning.tasks import TLS_MICROSECONDS, Tasks, tasks_for


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a load needs and costs.

    Attributes:
        load: the load.
        table: the prices.
        shards: of a provisioned stream.
        tasks: of a forwarder, by how events come in; the costs are those of the most.
        streams: the stream, in each mode.
        forwarder: what a forwarder has in every case.
        endpoints: its way out with private delivery.
        nat_gateways: its way out without.
        crossovers: where the modes of the stream overtake each other, the lowest load first.
        even_endpoints: the events a second above which endpoints cost less than NAT gateways.
    """

    load: Load
    table: PriceTable
    shards: Shards
    tasks: Mapping[str, Tasks]
    streams: Mapping[Mode, Component]
    forwarder: Sequence[Component]
    endpoints: Component
    nat_gateways: Component
    crossovers: Sequence[Crossover]
    even_endpoints: Fraction

    @property
    def cheaper(self) -> Mode:
        """The mode in which the stream costs less."""
        return min(self.streams, key=lambda mode: self.streams[mode].dollars)

    @property
    def dearer(self) -> Mode:
        """The other one."""
        return "on demand" if self.cheaper == "provisioned" else "provisioned"

    def whole(self, mode: Mode) -> list[Component]:
        """Return all that is to be paid with private delivery and a stream of that mode."""
        return [self.streams[mode], *self.forwarder, self.endpoints]


def plan_for(load: Load, table: PriceTable) -> Plan:
    """Return what a load needs, and what it costs at such prices."""
    shards, price = shards_for(load), table.prices
    tasks = {how: tasks_for(load, microseconds) for how, microseconds in TLS_MICROSECONDS.items()}
    deployment = Deployment(tasks=max(tasks.values(), key=lambda each: each.count * each.size.cpu))
    return Plan(
        load=load,
        table=table,
        shards=shards,
        tasks=tasks,
        streams={
            "provisioned": costs.provisioned(load, shards.count, price),
            "on demand": costs.on_demand(load, price),
        },
        forwarder=costs.forwarder(load, deployment, price),
        endpoints=costs.endpoints(load, deployment, price),
        nat_gateways=costs.nat_gateways(load, deployment, price),
        crossovers=list(crossovers(load, price)),
        even_endpoints=even_endpoints(load, deployment, price),
    )
