"""`headgate tail`: what is in a stream, as it comes."""

import os
import re
import select
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from headgate.errors import INTERRUPTED, UsageError
from headgate.reading.record import Record, json_line
from headgate.reading.since import parse_since

_STREAM_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}", re.ASCII)

Show = Callable[[Sequence[Record]], None]


def tail(
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="The stream's name.", show_default=False)],
    region: Annotated[
        str | None,
        typer.Option(help="The stream's region. Default: AWS_REGION's or the profile's.", show_default=False),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="10m|TIMESTAMP|trim-horizon", help="Where to begin: so long ago, then, or the oldest."
        ),
    ] = "10m",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes; else end at each shard's tip.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="End after N records.", show_default=False)
    ] = None,
) -> None:
    """Print a stream's records: shard, sequence number, partition key and event.

    On a terminal for the eye. In a pipe one JSON object a line, with the keys
    shardId, sequenceNumber, partitionKey, approximateArrivalTimestamp and event;
    a record that is no JSON has data, in base64, in place of event.

    Example: headgate tail events --region us-west-2 --since 1h --follow
    """
    if not _STREAM_NAME.fullmatch(stream):
        raise UsageError(
            f"STREAM: {stream!r} is no stream name; allowed: 1 to 128 letters, digits and any of _ . -"
        )
    if limit is not None and limit < 1:
        raise UsageError(f"--limit: {limit} is too few; allowed: 1 or more")
    begin = parse_since(since, datetime.now(UTC))
    try:
        _tail(stream, region, begin, follow, limit)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Nobody reads any more. Python would complain when it flushes what is left at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tail(stream: str, region: str | None, begin: datetime | None, follow: bool, limit: int | None) -> None:
    from headgate.cli.aws import aws_faults_in_one_line, kinesis_client
    from headgate.reading.reader import PARALLEL_READS, StreamReader

    client = kinesis_client(region, connections=PARALLEL_READS)
    show = _on_terminal() if sys.stdout.isatty() else _in_pipe()
    left = limit if limit is not None else sys.maxsize
    with aws_faults_in_one_line(stream, client.meta.region_name):
        for batch in StreamReader(client, stream, since=begin, follow=follow).batches():
            show(batch[:left])
            left -= len(batch)
            if left <= 0:
                return


def _in_pipe() -> Show:
    reader_left = select.poll()
    reader_left.register(sys.stdout.fileno(), 0)

    def show(records: Sequence[Record]) -> None:
        # A quiet stream writes nothing, so a write alone would never tell that the pipe is closed.
        if any(event & select.POLLERR for _, event in reader_left.poll(0)):
            raise BrokenPipeError
        sys.stdout.buffer.write(b"".join(map(json_line, records)))
        sys.stdout.buffer.flush()

    return show


def _on_terminal() -> Show:
    from rich.console import Console
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    # rich takes NO_COLOR to the letter and keeps bold and dim; who sets it wants plain text.
    console = Console(soft_wrap=True, color_system=None if os.environ.get("NO_COLOR") else "auto")
    highlight = JSONHighlighter()

    def show(records: Sequence[Record]) -> None:
        for record in records:
            arrival = record.approximate_arrival_timestamp.astimezone()
            console.print(
                Text.assemble(
                    (arrival.strftime("%H:%M:%S.%f")[:-3], "dim"),
                    "  ",
                    (record.shard_id, "cyan"),
                    "  ",
                    (record.sequence_number, "dim"),
                    "  ",
                    (printable(record.partition_key), "bold green"),
                )
            )
            event = record.event
            if event is None:
                console.print(
                    Text(f"{len(record.data):,} bytes that are no JSON: {record.data[:60]!r}", "yellow")
                )
            else:
                console.print(highlight(Text(printable(event.decode()))))

    return show


def printable(text: str) -> str:
    """Return `text` with what could steer a terminal written as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
