"""`headgate console`: what flows, its settings and its dead letters, on a page in the browser."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.errors import HeadgateError, UsageError

if TYPE_CHECKING:
    from botocore.session import Session

    from headgate.console.desk import Elsewhere

STATUS = "http://127.0.0.1:8081/statusz"


def console(
    sources: Annotated[
        str, typer.Option(metavar="STORE", help="The sources, as `headgate serve` reads them.")
    ] = "sources.toml",
    forwarder: Annotated[
        str, typer.Option(metavar="URL", help="The forwarder that the event tester sends through.")
    ] = "http://127.0.0.1:8080",
    status: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Its status page; see: headgate serve --status-port.", show_default=STATUS
        ),
    ] = None,
    cloudwatch: Annotated[
        bool, typer.Option("--cloudwatch", help="Its figures from CloudWatch, not from its status page.")
    ] = False,
    service_name: Annotated[
        str,
        typer.Option(
            envvar="AWS_EMF_SERVICE_NAME", help="With --cloudwatch: the dimension Service of its metrics."
        ),
    ] = "headgate",
    region: Annotated[
        str | None, typer.Option(help="With --cloudwatch: where it runs.", show_default="the profile's")
    ] = None,
    dead_letter_queue: Annotated[
        str | None, typer.Option(metavar="URL", help="The queue of the dead letters.", show_default=False)
    ] = None,
    dead_letter_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The file of the dead letters.", show_default=False)
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for any that is free.")
    ] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Show what flows, change it and test it, on a page in the browser.

    It listens on loopback alone, and works with your own AWS credentials: IAM decides what it may do. The
    link that it prints lets one browser in, once. On a terminal, Enter prints another; Ctrl-C ends it.

    Settings can be changed where a table keeps them (dynamodb://TABLE); those of
    a file or a secret are only shown.

    Examples:
    headgate console --sources sources.toml

    headgate console --sources dynamodb://headgate-settings --dead-letter-queue $URL

    headgate console --sources dynamodb://headgate-settings --cloudwatch
    """
    from headgate.clients import own_session

    try:
        from headgate.console.desk import ConsoleOptions
        from headgate.console.serving import serve
    except ModuleNotFoundError:
        raise HeadgateError(
            "this command needs an extra that is not installed: pip install 'headgate[console]'"
        ) from None

    if cloudwatch and status is not None:
        raise UsageError("give one of --status and --cloudwatch")
    status = status or STATUS
    for name, given in (("--forwarder", forwarder), ("--status", status)):
        if not given.startswith(("http://", "https://")):
            raise UsageError(f"{name} is {given!r}; allowed: a URL that begins with http:// or https://")
    if dead_letter_queue is not None and dead_letter_file is not None:
        raise UsageError("give one of --dead-letter-queue and --dead-letter-file")
    session = own_session()
    options = ConsoleOptions(
        sources=sources,
        forwarder=forwarder.rstrip("/"),
        status=status,
        cloudwatch=_elsewhere(session, service_name, region) if cloudwatch else None,
        dead_letter_queue=dead_letter_queue,
        dead_letter_file=dead_letter_file,
    )
    serve(options, session, port, lambda link: _tell(link, open_=open_))


def _elsewhere(session: "Session", service_name: str, region: str | None) -> "Elsewhere":
    """Return the forwarder whose figures CloudWatch has."""
    from headgate.clients import region_given
    from headgate.console.desk import Elsewhere

    if not service_name.strip():
        raise UsageError("--service-name is empty; allowed: a name such as headgate")
    return Elsewhere(service_name, region_given(session, region))


def _tell(link: Callable[[], str], *, open_: bool) -> None:
    """Print a link; on a terminal, another for each Enter."""
    import asyncio
    import webbrowser

    first = link()
    typer.echo(first)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    loop = asyncio.get_running_loop()

    def another() -> None:
        if sys.stdin.readline():
            typer.echo(link())
        else:  # nobody types any more
            loop.remove_reader(sys.stdin)

    if open_:
        loop.run_in_executor(None, webbrowser.open, first)
    typer.echo("Enter prints another link; Ctrl-C ends the console.", err=True)
    loop.add_reader(sys.stdin, another)
