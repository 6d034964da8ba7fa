"""The worked example of docs/deploy.md: what one forwarder and its stream cost a month.

`python docs/costs.py` prints its tables, and a test compares them with the document. Put your load and your
region's prices in to have yours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

HOURS = 730
SECONDS = HOURS * 3_600
GB = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What comes in, and what takes it.

    Attributes:
        events_per_second: the mean.
        event_bytes: of one event's JSON and its partition key.
        http_bytes: of one event at the load balancer, with its share of a batch's HTTP and answer.
        shards: provisioned.
        tasks: of 0.5 vCPU and 1 GB, with one worker each.
        zones: availability zones.
        endpoints: interface endpoints in each zone.
        metrics: all that a forwarder with one destination can have.
        alarm_metrics: what its alarms and its stream's look at.
        log_bytes: of metrics, for a worker and minute: 1,550 were measured, and the log is quiet.
    """

    events_per_second: int = 1_000
    event_bytes: int = 900
    http_bytes: int = 1_100
    shards: int = 3
    tasks: int = 2
    zones: int = 2
    endpoints: int = 7
    metrics: int = 27
    alarm_metrics: int = 32
    log_bytes: int = 2_000

    @property
    def events(self) -> int:
        """A month's events."""
        return self.events_per_second * SECONDS

    @property
    def gb(self) -> float:
        """A month's events in GB."""
        return self.events * self.event_bytes / GB

    def rounded_up(self, unit: int) -> int:
        """Return the units of so many bytes that Kinesis bills: each record takes whole ones."""
        return self.events * -(-self.event_bytes // unit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """List prices in US dollars of us-east-1 and us-west-2, without any free tier."""

    shard_hour: float = 0.015
    million_put_units: float = 0.014
    on_demand_hour: float = 0.04
    on_demand_gb_in: float = 0.08
    on_demand_gb_out: float = 0.04
    arm_vcpu_hour: float = 0.03238
    arm_gb_hour: float = 0.00356
    load_balancer_hour: float = 0.0225
    lcu_hour: float = 0.008
    endpoint_hour: float = 0.01
    endpoint_gb: float = 0.01
    nat_hour: float = 0.045
    nat_gb: float = 0.045
    address_hour: float = 0.005
    key: float = 1.0
    secret: float = 0.4
    ten_thousand_secret_calls: float = 0.05
    metric: float = 0.3
    alarm_metric: float = 0.1
    dashboard: float = 3.0
    log_gb: float = 0.5
    million_sqs_requests: float = 0.4


Part = tuple[float, str, float]
"""How much of what, at which price."""
Row = tuple[str, list[Part]]


def stream_provisioned(load: Load, price: Prices) -> Row:
    """Return shards and what is put into them; GetRecords costs nothing."""
    puts = load.rounded_up(25_600) / 1e6
    parts = [(load.shards * HOURS, "shard hours", price.shard_hour)]
    return "Stream, provisioned", [*parts, (puts, "million PUT units", price.million_put_units)]


def stream_on_demand(load: Load, price: Prices) -> Row:
    """Return the stream by what goes in and, once, out."""
    return "Stream, on demand", [
        (HOURS, "hours", price.on_demand_hour),
        (load.rounded_up(1_024) * 1_024 / GB, "GB in", price.on_demand_gb_in),
        (load.gb, "GB out", price.on_demand_gb_out),
    ]


def endpoints(load: Load, price: Prices) -> Row:
    """Return private delivery."""
    hours = load.endpoints * load.zones * HOURS
    return "VPC endpoints", [
        (hours, "endpoint hours", price.endpoint_hour),
        (load.gb, "GB", price.endpoint_gb),
    ]


def nat_gateways(load: Load, price: Prices) -> Row:
    """Return what stands in the endpoints' place without private delivery."""
    hours = load.zones * HOURS
    return "NAT gateways", [
        (hours, "gateway hours", price.nat_hour),
        (hours, "hours of their addresses", price.address_hour),
        (load.gb, "GB", price.nat_gb),
    ]


def others(load: Load, price: Prices) -> Iterator[Row]:
    """Yield what there is in every case."""
    hours = load.tasks * HOURS
    yield (
        "Fargate, ARM",
        [
            (hours * 0.5, "vCPU hours", price.arm_vcpu_hour),
            (hours, "GB hours", price.arm_gb_hour),
        ],
    )
    lcu = load.events * load.http_bytes / GB
    yield (
        "Load balancer",
        [
            (HOURS, "hours", price.load_balancer_hour),
            (lcu, "LCU hours", price.lcu_hour),
        ],
    )
    yield "KMS", [(1, "key", price.key)]
    calls = load.tasks * SECONDS / 10 / 1e4
    yield (
        "Secrets Manager",
        [
            (1, "secret", price.secret),
            (calls, "times 10,000 calls", price.ten_thousand_secret_calls),
        ],
    )
    yield (
        "CloudWatch",
        [
            (load.metrics, "metrics", price.metric),
            (load.alarm_metrics, "metrics of alarms", price.alarm_metric),
            (1, "dashboard", price.dashboard),
            (load.tasks * load.log_bytes * HOURS * 60 / GB, "GB of log", price.log_gb),
        ],
    )
    yield "SQS", [(load.tasks * SECONDS / 20 / 1e6, "million requests", price.million_sqs_requests)]


def cost(row: Row) -> float:
    """Return US dollars a month."""
    return sum(amount * price for amount, _, price in row[1])


def table(rows: list[Row], *more: str) -> str:
    """Return rows as the document shows them."""
    lines = ["| what | how much | US dollars a month |", "|---|---|---|"]
    for row in rows:
        parts = (f"{amount:,.{0 if amount >= 10 else 3}f}".removesuffix(".000") for amount, *_ in row[1])
        told = (f"{many} {what} x {price:g}" for many, (_, what, price) in zip(parts, row[1], strict=True))
        lines.append(f"| {row[0]} | {', '.join(told)} | {cost(row):,.2f} |")
    return "\n".join([*lines, *more])


def tables(load: Load, price: Prices) -> tuple[str, str]:
    """Return the worked example, and what may stand in place of two of its rows."""
    rows = [stream_provisioned(load, price), *others(load, price), endpoints(load, price)]
    whole = table(rows, f"| **all of it** | | **{sum(map(cost, rows)):,.2f}** |")
    return whole, table([stream_on_demand(load, price), nat_gateways(load, price)])


def even_gb(load: Load, price: Prices) -> float:
    """Return the GB a month above which endpoints cost less than NAT gateways."""
    dearer = cost(endpoints(load, price)) - cost(nat_gateways(load, price))
    return load.gb + dearer / (price.nat_gb - price.endpoint_gb)


if __name__ == "__main__":
    print(*tables(Load(), Prices()), sep="\n\n")
