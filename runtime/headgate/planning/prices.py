"""The price table: `prices.toml`, which is shipped beside this module."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """List prices in US dollars; the file says of what each one is."""

    shard_hour: Fraction
    extended_shard_hour: Fraction
    million_put_units: Fraction
    on_demand_hour: Fraction
    on_demand_gb_in: Fraction
    on_demand_gb_out: Fraction
    on_demand_extended_gb: Fraction
    long_term_gb: Fraction
    arm_vcpu_hour: Fraction
    arm_gb_hour: Fraction
    load_balancer_hour: Fraction
    lcu_hour: Fraction
    endpoint_hour: Fraction
    endpoint_gb: Fraction
    nat_hour: Fraction
    nat_gb: Fraction
    address_hour: Fraction
    key: Fraction
    secret: Fraction
    ten_thousand_secret_calls: Fraction
    metric: Fraction
    alarm_metric: Fraction
    dashboard: Fraction
    log_gb: Fraction
    million_sqs_requests: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceTable:
    """The prices, and what they are those of.

    Attributes:
        date: the month that they are of, as `2026-11`.
        source: where, in words.
        regions: where they hold.
        prices: the prices.
    """

    date: str
    source: str
    regions: Sequence[str]
    prices: Prices


@cache
def price_table() -> PriceTable:
    """Return the table that this version was shipped with."""
    text = files("headgate.planning").joinpath("prices.toml").read_text(encoding="utf-8")
    # Exact: a price is the decimal number that stands in the file.
    read: dict[str, Any] = tomllib.loads(text, parse_float=Fraction)
    return PriceTable(**read | {"regions": tuple(read["regions"]), "prices": Prices(**read["prices"])})
