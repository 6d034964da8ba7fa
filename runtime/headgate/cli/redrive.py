"""`headgate redrive`: dead letters, sent again."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.errors import INTERRUPTED, HeadgateError, UsageError

if TYPE_CHECKING:
    from headgate.delivery.target import Target
    from headgate.overflow.redrive import Tally

_DELIVER_WITHIN = 60.0
_LANE_SIZE = 32 * 1024 * 1024  # all that a destination may hold: there is no other traffic to be fair to


def redrive(
    sources: Annotated[
        str,
        typer.Option(
            metavar="STORE",
            help="The sources, whose Secret IDs are sent when roles are assumed; see: headgate serve --help.",
            show_default=False,
        ),
    ],
    dead_letter_queue: Annotated[
        str | None, typer.Option(metavar="URL", help="The queue of the dead letters.", show_default=False)
    ] = None,
    dead_letter_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The file of the dead letters.", show_default=False)
    ] = None,
) -> None:
    """Send dead letters again, each to where it was bound for, and remove those that Kinesis took.

    Those that it did not take stay, with the new reason on standard error; the exit status is then 1.

    Example: headgate redrive --dead-letter-file dead-letters.jsonl --sources sources.toml
    """
    import asyncio

    import botocore.session

    from headgate.settings.locate import store_at
    from headgate.settings.targets import every_target

    if (dead_letter_queue is None) == (dead_letter_file is None):
        raise UsageError("give one of --dead-letter-queue and --dead-letter-file")
    if dead_letter_file is not None and not dead_letter_file.is_file():
        raise UsageError(f"--dead-letter-file: {str(dead_letter_file)!r} is no file")
    targets = every_target(store_at(sources, botocore.session.get_session()).latest().sources().values())
    # What delivery would log is told at the end, once for each destination and reason.
    logging.getLogger("headgate").setLevel(logging.CRITICAL)
    try:
        tally = asyncio.run(_redrive(targets, dead_letter_queue, dead_letter_file))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except OSError as fault:
        raise HeadgateError(f"{dead_letter_file}: {(fault.strerror or str(fault)).lower()}") from None
    _tell(tally)


async def _redrive(targets: "set[Target]", url: str | None, path: Path | None) -> "Tally":
    import botocore.session

    from headgate.delivery.bounds import DeliverySettings
    from headgate.delivery.credentials import CredentialsCache
    from headgate.delivery.delivery import Delivery
    from headgate.delivery.wire.client import Wire
    from headgate.overflow.queue import Queue
    from headgate.overflow.redrive import Sender, redrive_file, redrive_queue

    session = botocore.session.get_session()
    queue = Queue(session, url) if url is not None else None
    wire = Wire(session)
    settings = DeliverySettings(acknowledge_within=_DELIVER_WITHIN, lane_size=_LANE_SIZE)
    delivery = Delivery(wire, CredentialsCache(session), settings=settings)
    sender = Sender(delivery, targets)
    try:
        if queue is not None:
            await redrive_queue(queue, sender)
        elif path is not None:
            await redrive_file(path, sender)
    finally:
        await delivery.close()
        await wire.close()
    return sender.tally


def _tell(tally: "Tally") -> None:
    typer.echo(f"{tally.sent} sent, {tally.kept.total() + tally.unreadable} kept")
    for (destination, code, reason), count in sorted(tally.kept.items()):
        typer.echo(f"{count} of {destination} kept: {code}: {reason}", err=True)
    if tally.unreadable:
        typer.echo(f"{tally.unreadable} kept: nobody can read where they were bound for", err=True)
    if tally.kept or tally.unreadable:
        raise typer.Exit(1)
