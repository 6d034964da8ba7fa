"""`headgate plan`: the shards and tasks that a load needs, and what they cost a month."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from headgate.cli.output import Pipe, console, ended_by_its_reader
from headgate.cli.streams import Region, stream_named
from headgate.errors import AwsError, UsageError
from headgate.planning.load import Load, Number

if TYPE_CHECKING:
    from headgate.planning.cloudwatch import PastLoad

_RETENTION = re.compile(r"(\d{1,5})([hd])", re.ASCII)
_RETENTION_HOURS = (24, 8_760)
_MOST = {"average_bytes": 10_240 * 1_024}
"""What Kinesis allows a record, once a stream is told to; of anything else there may be a billion."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The stream that a load was taken from."""

    stream: str
    region: str
    past: "PastLoad"


def plan(
    events_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="The mean, over the month.", show_default=False)
    ] = None,
    average_bytes: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="Of one event: its JSON and its partition key, in bytes.", show_default=False
        ),
    ] = None,
    peak_factor: Annotated[
        float | None, typer.Option(metavar="N", help="The busiest second over the mean.", show_default="1")
    ] = None,
    headroom: Annotated[float, typer.Option(metavar="N", help="The shards are multiplied with it.")] = 1.0,
    consumers: Annotated[
        int, typer.Option(metavar="N", help="Who reads with GetRecords; not by enhanced fan-out.")
    ] = 1,
    retention: Annotated[
        str, typer.Option(metavar="TIME", help="How long records are kept: 24h to 8760h, or 1d to 365d.")
    ] = "24h",
    from_stream: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Take the load from the last 14 days of a stream; what is given beside it counts instead.",
            show_default=False,
        ),
    ] = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, as in a pipe.")] = False,
) -> None:
    """Work out the shards and tasks that a load needs, and what they cost a month.

    Provisioned and on demand are compared, with the loads at which one overtakes
    the other. What each figure is made of is shown, for you to work it out again.

    On a terminal tables; in a pipe, or with --json, one JSON object, with the keys
    shards, boundBy, tasks, costs, crossovers, prices and more.

    Examples:
    headgate plan --events-per-second 1000 --average-bytes 900 --peak-factor 2

    headgate plan --from-stream events --headroom 1.25 --json | jq .shards
    """
    from headgate.cli.planned import as_object, show
    from headgate.planning.plan import plan_for
    from headgate.planning.prices import price_table

    hours = _retention_hours(retention)
    with ended_by_its_reader():
        origin = None if from_stream is None else _origin(stream_named(from_stream, "--from-stream"), region)
        past = origin.past if origin else None
        load = _load(
            events_per_second=_given(events_per_second, past.events_per_second if past else None),
            average_bytes=_given(average_bytes, past.average_bytes if past else None),
            peak_factor=_given(peak_factor, past.peak_factor if past else 1),
            headroom=headroom,
            consumers=consumers,
            retention_hours=hours,
        )
        planned = plan_for(load, price_table())
        where = origin.region if origin else region
        if as_json or not sys.stdout.isatty():
            Pipe().write(msgspec.json.encode(as_object(planned, origin, where)) + b"\n")
        else:
            show(console(), planned, origin, where)


def _given(value: float | None, otherwise: Number | None) -> Number:
    if value is not None:
        return value
    if otherwise is None:
        raise UsageError(
            "the load is missing: give --events-per-second and --average-bytes, "
            "or --from-stream NAME for that of a stream"
        )
    return otherwise


def _load(**values: Any) -> Load:
    values = {name: _as_written(value) for name, value in values.items()}
    try:
        load = Load(**values)
        for name, value in values.items():
            if value > (most := _MOST.get(name, 10**9)):
                raise ValueError(f"{name}: {value!r} is not allowed; it must be {most:,} at most")
    except ValueError as error:
        name, _, said = str(error).partition(":")
        raise UsageError(f"--{name.replace('_', '-')}:{said}") from None
    return load


def _as_written(value: Number) -> Number:
    """Return a number as it reads in an error: whoever wrote 0 is not told of 0.0."""
    return int(value) if isinstance(value, float) and value % 1 == 0 and abs(value) < 10**15 else value


def _retention_hours(text: str) -> int:
    least, most = _RETENTION_HOURS
    found = _RETENTION.fullmatch(text)
    hours = int(found[1]) * (24 if found[2] == "d" else 1) if found else 0
    if not least <= hours <= most:
        raise UsageError(f"--retention: {text!r} is not allowed; allowed: 24h to 8760h, or 1d to 365d")
    return hours


def _origin(stream: str, region: str | None) -> Origin:
    from headgate.aws import aws_faults_in_one_line, cloudwatch_client
    from headgate.planning.cloudwatch import DAYS, past_load

    client = cloudwatch_client(region)
    where: str = client.meta.region_name
    with aws_faults_in_one_line(stream, where):
        past = past_load(client, stream, datetime.now(UTC))
    if past is None:
        raise AwsError(
            f"CloudWatch knows of no record put into {stream!r} in {where} in the last {DAYS} days; "
            "check the name and --region, or give --events-per-second and --average-bytes"
        )
    return Origin(stream, where, past)
