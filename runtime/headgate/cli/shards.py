"""`headgate shards`: how much of its limits each shard uses, and what to do about it."""

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from headgate.cli.output import Pipe, console, ended_by_its_reader, figures_table
from headgate.cli.streams import Region, Stream, stream_named
from headgate.delivery.wire.faults import DENIED
from headgate.errors import UsageError
from headgate.reading import advice as advising
from headgate.reading.advice import Advice, advise, hot
from headgate.reading.load import KeyLoad, ShardLoad, StreamLoad, Use, load_of
from headgate.reading.sample import Sample
from headgate.texts import printable

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from rich.console import Console
    from rich.table import Table

_MOST_SECONDS = 3_600
_KEYS_OF_A_SHARD = 5
_KEYS_SHOWN = 10
_KEY_SHOWN_FROM = 0.01
"""Of a shard's limit: what a key has to use to be told of on a terminal."""


def shards(
    stream: Stream,
    region: Region = None,
    seconds: Annotated[
        int, typer.Option(metavar="N", help=f"Look at the last N seconds; {_MOST_SECONDS:,} at most.")
    ] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the load of each shard, the hottest partition keys, and what to do about them.

    A shard takes 1 MB and 1,000 records a second. What arrived in the last
    seconds is read, so nothing has to be waited for. Reading takes its part of
    what a shard allows all of its readers: 2 MB and 5 calls a second.

    On a terminal a table. In a pipe JSON lines: one of each shard, with the keys
    shardId, open, percentOfLimit, busiestSecondPercent and more, then one of each
    advice, with the keys advice, shardId, text and commands. With --json one object.

    Examples:
    headgate shards events --region us-west-2

    headgate shards events --seconds 600 --json | jq .advice
    """
    name = stream_named(stream)
    if not 1 <= seconds <= _MOST_SECONDS:
        raise UsageError(f"--seconds: {seconds} is not allowed; allowed: 1 to {_MOST_SECONDS}")
    with ended_by_its_reader():
        _shards(name, region, seconds, as_json)


def _shards(name: str, region: str | None, seconds: int, as_json: bool) -> None:
    from headgate.aws import aws_faults_in_one_line, kinesis_client
    from headgate.reading.reader import PARALLEL_READS
    from headgate.shards import list_shards

    client = kinesis_client(region, connections=PARALLEL_READS)
    end = time.time()
    begin = end - seconds
    since = datetime.fromtimestamp(begin, UTC)
    with aws_faults_in_one_line(name, client.meta.region_name):
        described = _described(client, name)
        samples = _sampled(client, name, begin, end)
        load = load_of(list_shards(client, name, since=since), samples, begin, end)
    advice = advise(described, load)
    if as_json:
        Pipe().write(msgspec.json.encode(_object(described, load, advice)) + b"\n")
    elif sys.stdout.isatty():
        _show(console(), described, load, advice)
    else:
        lines = [*map(_shard, load.shards), *map(_advice, advice)]
        Pipe().write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def _described(client: "KinesisClient", name: str) -> advising.Stream:
    """Return what is known of a stream; it may be read by some who may not describe it."""
    from botocore.exceptions import ClientError

    from headgate.clients import code_of

    arn, mode = None, None
    try:
        summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        arn, mode = summary["StreamARN"], summary["StreamModeDetails"]["StreamMode"]
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
    return advising.Stream(name, client.meta.region_name, arn, mode)


def _sampled(client: "KinesisClient", name: str, begin: float, end: float) -> dict[str, Sample]:
    """Read what arrived from one instant to another; on a terminal, show how far it is."""
    from headgate.reading.reader import StreamReader

    samples: dict[str, Sample] = {}
    reader = StreamReader(client, name, since=datetime.fromtimestamp(begin, UTC), follow=False)
    records = 0
    # A spinner is drawn on a terminal alone.
    with console(error=True).status(f"Reading the last {end - begin:.0f} s") as status:
        for batch in reader.batches():
            if batch is None:
                continue
            samples.setdefault(batch.shard_id, Sample(begin, end)).add(batch.records)
            records += len(batch.records)
            status.update(
                f"Reading the last {end - begin:.0f} s: {records:,} records of {len(samples):,} shards"
            )
    return samples


def _object(stream: advising.Stream, load: StreamLoad, advice: list[Advice]) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "region": stream.region,
        "mode": stream.mode,
        "seconds": round(load.seconds),
        "records": load.total.records,
        "bytes": load.total.bytes,
        "busiestSecondInShards": round(load.peak.share, 3),
        "shards": [*map(_shard, load.shards)],
        "advice": [*map(_advice, advice)],
    }


def _shard(shard: ShardLoad) -> dict[str, Any]:
    total = shard.sample.total
    return {
        "shardId": shard.shard_id,
        "open": shard.open,
        "startingHashKey": str(shard.start),
        "endingHashKey": str(shard.end),
        "recordsPerSecond": round(total.records / shard.seconds, 1),
        "bytesPerSecond": round(total.bytes / shard.seconds, 1),
        "percentOfLimit": _percent(shard.use.share),
        "busiestSecondPercent": _percent(shard.peak.share),
        "limitedBy": shard.use.bound,
        "partitionKeys": [_key(key) for key in shard.hottest(_KEYS_OF_A_SHARD)],
    }


def _key(key: KeyLoad) -> dict[str, Any]:
    return {
        "partitionKey": key.partition_key,
        "records": key.amount.records,
        "bytes": key.amount.bytes,
        "percentOfShard": _percent(key.share),
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return {
        "advice": advice.kind,
        "shardId": advice.shard_id,
        "text": advice.text,
        "commands": advice.commands,
    }


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _show(terminal: "Console", stream: advising.Stream, load: StreamLoad, advice: list[Advice]) -> None:
    from rich.text import Text

    mode = {"PROVISIONED": "provisioned", "ON_DEMAND": "on demand", None: "mode unknown"}[stream.mode]
    terminal.print(
        f"{stream.name} in {stream.region}, {mode}: {len(load.open_shards):,} open shards, "
        f"{load.total.records:,} records in the last {load.seconds:.0f} s\n",
        highlight=False,
    )
    terminal.print(_shard_table(load))
    if hottest := _hottest(load):
        terminal.print()
        terminal.print(_key_table(hottest, load.seconds))
    terminal.print()
    for each in advice:
        terminal.print(Text(printable(each.text), "bold"), soft_wrap=True)
        for command in each.commands:
            terminal.print(Text(f"  {printable(command)}"), soft_wrap=True)
    if not advice:
        terminal.print("The shards carry this load; there is nothing to do.")


def _shard_table(load: StreamLoad) -> "Table":
    table = figures_table("shard", ("records/s", "KB/s", "% used", "% peak", "limit", "% of one key"))
    for shard in load.shards:
        total = shard.sample.total
        style = "bold red" if shard.open and hot(shard) else "" if shard.open else "dim"
        table.add_row(
            shard.shard_id + ("" if shard.open else " (closed)"),
            f"{total.records / shard.seconds:,.1f}",
            f"{total.bytes / shard.seconds / 1000:,.1f}",
            f"{_percent(shard.use.share):,.1f}",
            f"{_percent(shard.peak.share):,.1f}",
            shard.use.bound,
            *(f"{_percent(key.share):,.1f}" for key in shard.hottest(1)),
            style=style,
        )
    return table


def _hottest(load: StreamLoad) -> list[tuple[KeyLoad, ShardLoad]]:
    found = [
        (key, shard)
        for shard in load.shards
        for key in shard.hottest(_KEYS_OF_A_SHARD)
        if Use.of(key.amount, load.seconds).share >= _KEY_SHOWN_FROM
    ]
    found.sort(key=lambda each: each[0].amount.weight, reverse=True)
    return found[:_KEYS_SHOWN]


def _key_table(found: list[tuple[KeyLoad, ShardLoad]], seconds: float) -> "Table":
    table = figures_table("hottest partition keys", ("records/s", "KB/s", "% of shard", "shard"))
    for key, shard in found:
        table.add_row(
            printable(key.partition_key),
            f"{key.amount.records / seconds:,.1f}",
            f"{key.amount.bytes / seconds / 1000:,.1f}",
            f"{_percent(key.share):,.1f}",
            shard.shard_id,
        )
    return table
