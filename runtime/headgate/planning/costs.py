"""What a stream and a forwarder cost a month, part by part: how much of what, at which price."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from headgate.planning.load import Load
from headgate.planning.prices import Prices
from headgate.planning.tasks import Tasks

Mode = Literal["provisioned", "on demand"]

HOURS = 730
"""A month."""
SECONDS = HOURS * 3_600
KB, GB = 2**10, 2**30
PUT_UNIT = 25 * KB
EXTENDED_FROM, LONG_TERM_FROM = 24, 7 * 24
"""Hours of retention above which more is billed (Kinesis Data Streams pricing)."""
HTTP_BYTES = 200
"""What HTTP and its answer add to an event at the load balancer, in a batch on a connection that is kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of what, at which price; as text, what a person would multiply."""

    amount: Fraction | int
    what: str
    price: Fraction

    def __str__(self) -> str:
        amount = f"{float(self.amount):,.{0 if self.amount >= 10 else 3}f}".removesuffix(".000")
        return f"{amount} {self.what} x {float(self.price):g}"


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the bill."""

    name: str
    parts: tuple[Part, ...]

    @property
    def dollars(self) -> Fraction:
        """US dollars a month."""
        return sum((part.amount * part.price for part in self.parts), Fraction())

    @property
    def how(self) -> str:
        """The parts, as a person would write them down."""
        return ", ".join(map(str, self.parts))


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What a forwarder consists of: by default what the environment `prod` deploys.

    Attributes:
        tasks: its tasks.
        zones: availability zones.
        endpoints: interface endpoints in each zone.
        metrics: all that a forwarder with one destination can have.
        alarm_metrics: what its alarms and its stream's look at.
        log_bytes: of metrics, for a worker and minute: 1,550 were measured, and the log is quiet.
    """

    tasks: Tasks
    zones: int = 2
    endpoints: int = 7
    metrics: int = 27
    alarm_metrics: int = 32
    log_bytes: int = 2_000


def gb(load: Load) -> Fraction:
    """Return a month's events in GB."""
    return load.events * load.event_bytes * SECONDS / GB


def gb_kept(load: Load, above_hours: int, up_to_hours: int | None = None) -> Fraction:
    """Return the GB that the stream keeps of records older than so many hours, and not older than so many."""
    oldest = load.retention_hours if up_to_hours is None else min(load.retention_hours, up_to_hours)
    return load.events * load.event_bytes * 3_600 * max(oldest - above_hours, 0) / GB


def provisioned(load: Load, shards: int, price: Prices) -> Component:
    """Return a stream by its shards and what is put into them; GetRecords costs nothing."""
    units = load.events * SECONDS * load.units(PUT_UNIT) / 1_000_000
    parts = [
        Part(shards * HOURS, "shard hours", price.shard_hour),
        Part(units, "million PUT units", price.million_put_units),
    ]
    if load.retention_hours > EXTENDED_FROM:
        parts.append(Part(shards * HOURS, "shard hours above 24 h", price.extended_shard_hour))
    return Component("Stream, provisioned", (*parts, *_long_term(load, price)))


def on_demand(load: Load, price: Prices) -> Component:
    """Return a stream by what goes in, in whole KB, and out, once for each consumer."""
    parts = [
        Part(HOURS, "hours", price.on_demand_hour),
        Part(load.events * SECONDS * load.units(KB) * KB / GB, "GB in", price.on_demand_gb_in),
        Part(gb(load) * load.consumers, "GB out", price.on_demand_gb_out),
    ]
    if load.retention_hours > EXTENDED_FROM:
        kept = gb_kept(load, EXTENDED_FROM, LONG_TERM_FROM)
        parts.append(Part(kept, "GB kept 1 to 7 days", price.on_demand_extended_gb))
    return Component("Stream, on demand", (*parts, *_long_term(load, price)))


def endpoints(load: Load, deployment: Deployment, price: Prices) -> Component:
    """Return private delivery."""
    hours = deployment.endpoints * deployment.zones * HOURS
    return Component(
        "VPC endpoints",
        (Part(hours, "endpoint hours", price.endpoint_hour), Part(gb(load), "GB", price.endpoint_gb)),
    )


def nat_gateways(load: Load, deployment: Deployment, price: Prices) -> Component:
    """Return what stands in the endpoints' place without private delivery."""
    hours = deployment.zones * HOURS
    return Component(
        "NAT gateways",
        (
            Part(hours, "gateway hours", price.nat_hour),
            Part(hours, "hours of their addresses", price.address_hour),
            Part(gb(load), "GB", price.nat_gb),
        ),
    )


def forwarder(load: Load, deployment: Deployment, price: Prices) -> list[Component]:
    """Return what a forwarder has in every case; its way out is `endpoints` or `nat_gateways`."""
    tasks, size = deployment.tasks.count, deployment.tasks.size
    at_load_balancer = load.events * SECONDS * (load.event_bytes + HTTP_BYTES) / GB  # 1 GB an hour is one LCU
    calls = Fraction(tasks * SECONDS, 10) / 10_000  # of each task, every 10 seconds
    receives = Fraction(tasks * SECONDS, 20) / 1_000_000  # each waits for 20 seconds
    log = Fraction(tasks * deployment.log_bytes * HOURS * 60, GB)
    return [
        Component(
            "Fargate, ARM",
            (
                Part(tasks * HOURS * size.vcpu, "vCPU hours", price.arm_vcpu_hour),
                Part(tasks * HOURS * size.gb, "GB hours", price.arm_gb_hour),
            ),
        ),
        Component(
            "Load balancer",
            (
                Part(HOURS, "hours", price.load_balancer_hour),
                Part(at_load_balancer, "LCU hours", price.lcu_hour),
            ),
        ),
        Component("KMS", (Part(1, "key", price.key),)),
        Component(
            "Secrets Manager",
            (
                Part(1, "secret", price.secret),
                Part(calls, "times 10,000 calls", price.ten_thousand_secret_calls),
            ),
        ),
        Component(
            "CloudWatch",
            (
                Part(deployment.metrics, "metrics", price.metric),
                Part(deployment.alarm_metrics, "metrics of alarms", price.alarm_metric),
                Part(1, "dashboard", price.dashboard),
                Part(log, "GB of log", price.log_gb),
            ),
        ),
        Component("SQS", (Part(receives, "million requests", price.million_sqs_requests),)),
    ]


def _long_term(load: Load, price: Prices) -> list[Part]:
    if load.retention_hours <= LONG_TERM_FROM:
        return []
    return [Part(gb_kept(load, LONG_TERM_FROM), "GB kept beyond 7 days", price.long_term_gb)]
