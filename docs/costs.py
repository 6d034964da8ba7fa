"""The worked example of docs/deploy.md: what one forwarder and its stream cost a month.

`python docs/costs.py` prints its tables, and a test compares them with the document. The arithmetic and the
prices are those of `headgate plan`, which works them out for your load.
"""

from collections.abc import Iterable

from headgate.planning.costs import (
    GB,
    SECONDS,
    Component,
    Deployment,
    endpoints,
    forwarder,
    nat_gateways,
    on_demand,
    provisioned,
)
from headgate.planning.crossover import even_endpoints
from headgate.planning.load import Load
from headgate.planning.prices import Prices, price_table
from headgate.planning.shards import shards_for
from headgate.planning.tasks import TLS_MICROSECONDS, tasks_for

LOAD = Load(events_per_second=1_000, average_bytes=900, peak_factor=2, headroom=1.25)
DEPLOYMENT = Deployment(tasks=tasks_for(LOAD, TLS_MICROSECONDS["one event a request"]))


def table(rows: Iterable[Component], *more: str) -> str:
    """Return rows as the document shows them."""
    lines = ["| what | how much | US dollars a month |", "|---|---|---|"]
    lines += [f"| {row.name} | {row.how} | {float(row.dollars):,.2f} |" for row in rows]
    return "\n".join([*lines, *more])


def tables(load: Load, deployment: Deployment, price: Prices) -> tuple[str, str]:
    """Return the worked example, and what may stand in place of two of its rows."""
    rows = [
        provisioned(load, shards_for(load).count, price),
        *forwarder(load, deployment, price),
        endpoints(load, deployment, price),
    ]
    whole = table(rows, f"| **all of it** | | **{float(sum(row.dollars for row in rows)):,.2f}** |")
    return whole, table([on_demand(load, price), nat_gateways(load, deployment, price)])


def even_gb(load: Load, deployment: Deployment, price: Prices) -> float:
    """Return the GB a month above which endpoints cost less than NAT gateways."""
    return float(even_endpoints(load, deployment, price) * load.event_bytes * SECONDS / GB)


if __name__ == "__main__":
    print(*tables(LOAD, DEPLOYMENT, price_table().prices), sep="\n\n")
