"""`python -m headgate.testing`: the fake as a process of its own."""

import asyncio
import signal
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
import uvloop

from headgate.errors import one_line
from headgate.testing.buckets import Limits
from headgate.testing.fake import FakeKinesis
from headgate.testing.front import CborSupport
from headgate.testing.ledger import LedgerMode

if TYPE_CHECKING:
    from headgate.testing.requests import OperationName

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 0,
    stream: Annotated[
        list[str] | None, typer.Option(help="A stream to make; may be given again.", show_default="events")
    ] = None,
    shards: Annotated[int, typer.Option(min=1, help="Shards of each stream.")] = 1,
    region: Annotated[str, typer.Option(help="The region of the streams.")] = "us-west-2",
    bytes_per_second: Annotated[
        float, typer.Option(min=0, help="What a shard accepts; 0 for no limit.")
    ] = 1_000_000,
    records_per_second: Annotated[
        float, typer.Option(min=0, help="What a shard accepts; 0 for no limit.")
    ] = 1_000,
    ledger: Annotated[LedgerMode, typer.Option(help="Keep records, or totals alone.")] = "full",
    cbor: Annotated[
        CborSupport, typer.Option(help="Understand the CBOR form, or refuse it so.")
    ] = "accepted",
    deny: Annotated[list[str] | None, typer.Option(help="An operation to deny; may be given again.")] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Serve HTTPS: a PEM file with a certificate and its key.",
            show_default="HTTP",
        ),
    ] = None,
) -> None:
    """Serve a fake Kinesis until SIGTERM or SIGINT; its URL is the first line printed.

    Example: python -m headgate.testing --shards 8 --ledger counts
    """
    try:
        fake = FakeKinesis(
            streams=dict.fromkeys(stream or ["events"], shards),
            region=region,
            limits=Limits(
                bytes_per_second=bytes_per_second or None, records_per_second=records_per_second or None
            ),
            ledger=ledger,
            cbor=cbor,
            denied=cast("list[OperationName]", deny or []),  # checked by the fake
            host=host,
            port=port,
            tls=_showing(certificate) if certificate else None,
        )
        uvloop.run(_serve(fake))
    except (ValueError, OSError) as fault:
        raise typer.BadParameter(one_line(fault)) from None


def _showing(certificate: Path) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(certificate)
    except ssl.SSLError as fault:
        raise ValueError(f"{certificate} is no PEM file with a certificate and its key: {fault}") from None
    return tls


async def _serve(fake: FakeKinesis) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with fake:
        print(fake.url, flush=True)  # noqa: T201  # whoever started it reads where it listens
        await told.wait()


app(prog_name="python -m headgate.testing")
