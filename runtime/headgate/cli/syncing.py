"""What `headgate audience sync` and `headgate trait sync` share: from their options to the end of a sync."""

import logging
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.errors import INTERRUPTED, BusyError, HeadgateError, UsageError
from headgate.metrics import emf, names

if TYPE_CHECKING:
    from botocore.session import Session

    from headgate.audiences.calls import Computation
    from headgate.audiences.record import Kind
    from headgate.audiences.sync import Outbound
    from headgate.cli.sync_screen import SyncScreen
    from headgate.delivery.target import Target
    from headgate.ingest.shares import ShareOf

SAMPLES = 5

Source = Annotated[
    str, typer.Option(metavar="ID", help="The source whose destinations are told.", show_default=False)
]
Sources = Annotated[
    str,
    typer.Option(metavar="STORE", help="The sources, as `headgate serve` reads them."),
]
State = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|s3://...",
        help="Where what was delivered is kept. Default: ~/.local/state/headgate/audiences.",
        show_default=False,
    ),
]
IdColumn = Annotated[
    str, typer.Option(metavar="COLUMN", help="The column of the userId; '' where there is none.")
]
AnonymousIdColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column of the anonymousId: a call each.", show_default=False),
]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Take a snapshot without members: everybody leaves.")
]
MaxRemoved = Annotated[
    float, typer.Option(metavar="SHARE", help="Refuse a snapshot in which more of the members are missing.")
]
MaxRecordsPerSecond = Annotated[
    float | None,
    typer.Option(metavar="N", help="Send no more, to each destination: room for others.", show_default=False),
]
DeliverWithin = Annotated[
    float, typer.Option(metavar="SECONDS", help="End when a call cannot be delivered for so long.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be sent, and a few of the calls; write nothing.")
]
ServiceName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Write metrics for CloudWatch with this dimension Service.", show_default=False
    ),
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for; see the options of the commands."""

    kind: "Kind"
    name: str
    files: list[str]
    files_option: str
    value_column: str | None = None
    source: str
    sources: str
    state: str | None
    id_column: str
    anonymous_id_column: str | None
    allow_empty: bool
    max_removed: float
    max_records_per_second: float | None
    deliver_within: float
    dry_run: bool
    service_name: str | None

    def check(self) -> None:
        """Refuse what no sync could do.

        Raises:
            UsageError: a number is out of its range, or no column holds an identifier.
        """
        if not 0 <= self.max_removed <= 1:
            raise UsageError(f"--max-removed: {self.max_removed:g} is no share; allowed: 0 to 1")
        if self.max_records_per_second is not None and not self.max_records_per_second > 0:
            raise UsageError(
                f"--max-records-per-second: {self.max_records_per_second:g}; allowed: more than 0"
            )
        if not self.deliver_within > 0:
            raise UsageError(f"--deliver-within: {self.deliver_within:g}; allowed: more than 0")
        if not self.id_column and not self.anonymous_id_column:
            raise UsageError("--id-column is empty; then --anonymous-id-column is needed")


def sync(options: Options) -> None:
    """Sync as asked for, show how it goes, and end with the exit status."""
    try:
        options.check()
        from headgate.cli.sync_screen import screen_for

        with _sigterm_interrupts(), screen_for() as screen:
            delivered = _sync(options, screen)
    except KeyboardInterrupt:
        typer.echo("headgate: interrupted; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BusyError:
        raise
    except HeadgateError:
        _tell_metrics(options, {names.AUDIENCE_SYNC_FAILURES: 1})
        raise
    if not delivered:
        _tell_metrics(options, {names.AUDIENCE_SYNC_FAILURES: 1})
        raise typer.Exit(1)
    if not options.dry_run:
        figures = {names.AUDIENCE_MEMBERS: screen.members, names.AUDIENCE_CALLS: screen.calls}
        _tell_metrics(options, {names.AUDIENCE_SYNCS: 1, **figures})


def _sync(options: Options, screen: "SyncScreen") -> bool:
    """Return whether every call was delivered."""
    from headgate.audiences.calls import Calls, Computation
    from headgate.audiences.columns import Columns
    from headgate.audiences.folder import Folder
    from headgate.audiences.key import key_of
    from headgate.audiences.locate import store_at
    from headgate.audiences.members import Members
    from headgate.audiences.sync import Guards, Subject, Sync
    from headgate.audiences.tables import DuckTables
    from headgate.clients import own_session

    session = own_session()
    computation = Computation(options.kind, key_of(options.name), options.source)
    destinations = _destinations(options, session)
    subject = Subject(
        name=options.name,
        key=computation.key,
        kind=options.kind,
        source_id=options.source,
        destinations=tuple(sorted({target.name for target in destinations})),
    )
    columns = Columns(
        user_id=options.id_column or None,
        anonymous_id=options.anonymous_id_column,
        value=options.value_column,
    )
    members = Members(session, options.files, options.files_option)
    folder = Folder(
        store_at(options.state, session), options.source, computation.key, process=secrets.token_hex(4)
    )
    one = Sync(
        folder,
        subject,
        DuckTables(members, columns, computation, screen.read),
        lambda outbound: _send(session, outbound, computation, destinations, options, screen),
        screen,
        Guards(allow_empty=options.allow_empty, max_removed=options.max_removed),
        time.time,
    )
    if not options.dry_run:
        finished = one.run().finished
        return finished is None or not finished.undeliverable
    with tempfile.TemporaryDirectory(prefix="headgate-") as scratch:
        changes = one.preview(Path(scratch))[:SAMPLES]
        screen.samples(Calls(computation, 0, datetime.now(UTC)).events(changes, datetime.now(UTC)))
    return True


def _destinations(options: Options, session: "Session") -> "dict[Target, ShareOf]":
    """Return where calls go, each with what makes its records of them.

    Raises:
        UsageError: the source is unknown or disabled, or no enabled destination takes identify calls.
        AwsError: the settings cannot be read now.
    """
    from headgate.audiences.calls import CALL
    from headgate.ingest.routes import Route
    from headgate.settings.locate import store_at
    from headgate.settings.targets import target_of

    every = {each.id: each for each in store_at(options.sources, session).latest().sources().values()}
    source = every.get(options.source)
    if source is None:
        raise UsageError(f"--source: no source has the ID {options.source!r}; there are: {', '.join(every)}")
    if not source.enabled:
        raise UsageError(f"--source: the source {source.id!r} is disabled")
    enabled = [each for each in source.destinations if each.enabled]
    if not enabled:
        raise UsageError(f"--source: every destination of the source {source.id!r} is disabled")
    takers = {target_of(source, each) for each in enabled if CALL in each.event_types}
    if not takers:
        raise UsageError(
            f"--source: no destination of the source {source.id!r} has {CALL} in its event_types"
        )
    return {target: share_of for target, share_of in Route(source).targets if target in takers}


def _send(
    session: "Session",
    outbound: "Outbound",
    computation: "Computation",
    destinations: "dict[Target, ShareOf]",
    options: Options,
    screen: "SyncScreen",
) -> None:
    import uvloop

    from headgate import garbage
    from headgate.audiences.deliver import deliver
    from headgate.audiences.sending import Bounds

    # What delivery would log is shown while it lasts, and is the error where it does not end.
    logging.getLogger("headgate").setLevel(logging.CRITICAL)
    garbage.search_seldom()
    bounds = Bounds(per_second=options.max_records_per_second, within=options.deliver_within)
    screen.undeliverable(
        uvloop.run(deliver(session, outbound, computation, destinations, bounds, screen.sending))
    )


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Have SIGTERM, with which ECS stops a task, end the command as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_metrics(options: Options, values: dict[names.Metric, float]) -> None:
    if options.service_name is None or options.dry_run:
        return
    by_name = {metric.name: value for metric, value in values.items()}
    line = emf.audience_line(by_name, options.service_name, options.name, time.time())
    typer.echo(line, nl=False)
