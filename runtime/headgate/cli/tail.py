"""`headgate tail`: what is in a stream, as it comes."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Protocol

import typer

from headgate.cli.output import Pipe, console, ended_by_its_reader
from headgate.cli.streams import Region, Stream, stream_named
from headgate.errors import UsageError
from headgate.reading.filters import Filter, filter_by
from headgate.reading.record import Record, json_line
from headgate.reading.since import parse_since
from headgate.texts import printable


class Screen(Protocol):
    """Shows what is read."""

    def show(self, shard_id: str, records: Sequence[Record], millis_behind: int | None) -> None:
        """Show records of a shard, which may be none."""

    def quiet(self) -> None:
        """Note that nothing has come for up to a second."""

    def close(self) -> None:
        """Show what has not been shown yet."""


def tail(
    stream: Stream,
    region: Region = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="10m|TIMESTAMP|trim-horizon", help="Where to begin: so long ago, then, or the oldest."
        ),
    ] = "10m",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes; else end at each shard's tip.")
    ] = False,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="Only events of this type: track, page, ...", show_default=False
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only track calls of this event.", show_default=False),
    ] = None,
    user_id: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this userId.", show_default=False)
    ] = None,
    message_id: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this messageId.", show_default=False)
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Only this source, whose ID an event has as projectId.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="End after N records.", show_default=False)
    ] = None,
    stats: Annotated[
        bool,
        typer.Option("--stats", help="Show once a second how much comes and how late, in place of records."),
    ] = False,
) -> None:
    """Print a stream's records: shard, sequence number, partition key and event.

    On a terminal for the eye. In a pipe one JSON object a line, with the keys
    shardId, sequenceNumber, partitionKey, approximateArrivalTimestamp and event;
    a record that is no JSON has data, in base64, in place of event.

    All shards are read at once, through splits and merges, and a shard after its
    parents: a partition key's records come in their order.

    An option that filters may be given again: an event has to equal one of its
    values, and to pass every kind of filter that is given.

    With --stats: records and bytes a second, by shard, and the delay from an
    event's receivedAt to its being read; in a pipe one JSON object a second.

    It ends with status 130 on Ctrl-C, and with 0 when nobody reads its pipe any more.

    Examples:
    headgate tail events --region us-west-2 --since 1h --follow

    headgate tail events --type track --event "Order Completed" --user-id user-1 --since 1d

    headgate tail events --since trim-horizon | jq -c .event

    headgate tail events --follow --stats
    """
    name = stream_named(stream)
    if limit is not None and limit < 1:
        raise UsageError(f"--limit: {limit} is too few; allowed: 1 or more")
    begin = parse_since(since, datetime.now(UTC))
    wanted = filter_by(
        {
            "type": type_ or (),
            "event": event or (),
            "user_id": user_id or (),
            "message_id": message_id or (),
            "project_id": source or (),
        }
    )
    with ended_by_its_reader():
        _tail(name, region, begin, follow, wanted, limit, stats)


def _tail(
    stream: str,
    region: str | None,
    begin: datetime | None,
    follow: bool,
    wanted: Filter,
    limit: int | None,
    stats: bool,
) -> None:
    from headgate.aws import aws_faults_in_one_line, kinesis_client
    from headgate.reading.reader import PARALLEL_READS, StreamReader

    client = kinesis_client(region, connections=PARALLEL_READS)
    screen = _screen(stats=stats)
    left = limit if limit is not None else sys.maxsize
    try:
        with aws_faults_in_one_line(stream, client.meta.region_name):
            for batch in StreamReader(client, stream, since=begin, follow=follow).batches():
                if batch is None:
                    screen.quiet()
                    continue
                records = wanted(batch.records)[:left]
                screen.show(batch.shard_id, records, batch.millis_behind)
                left -= len(records)
                if left <= 0:
                    return
    finally:
        screen.close()


def _screen(*, stats: bool) -> Screen:
    if stats:
        from headgate.cli.rates import RatesScreen

        return RatesScreen()
    return _OnTerminal() if sys.stdout.isatty() else _InPipe()


class _InPipe:
    """Records as JSON lines."""

    def __init__(self) -> None:
        self._pipe = Pipe()

    def show(self, shard_id: str, records: Sequence[Record], _millis_behind: int | None) -> None:
        self._pipe.write(b"".join([json_line(shard_id, record) for record in records]))

    def quiet(self) -> None:
        self._pipe.write(b"")

    def close(self) -> None:
        """Nothing waits."""


class _OnTerminal:
    """Records for the eye: two lines each."""

    def __init__(self) -> None:
        from rich.highlighter import JSONHighlighter

        self._print = partial(console().print, soft_wrap=True)
        self._highlight = JSONHighlighter()

    def show(self, shard_id: str, records: Sequence[Record], _millis_behind: int | None) -> None:
        from rich.text import Text

        for record in records:
            self._print(
                Text.assemble(
                    (record.arrival.astimezone().strftime("%H:%M:%S.%f")[:-3], "dim"),
                    "  ",
                    (shard_id, "cyan"),
                    "  ",
                    (record.sequence_number, "dim"),
                    "  ",
                    (printable(record.partition_key), "bold green"),
                )
            )
            event = record.event
            if event is None:
                said = f"{len(record.data):,} bytes that are no JSON: {record.data[:60]!r}"
                self._print(Text(said, "yellow"))
            else:
                self._print(self._highlight(Text(printable(event.decode()))))

    def quiet(self) -> None:
        """Nothing to do: a terminal that goes away ends the process."""

    def close(self) -> None:
        """Nothing waits."""
