"""The `headgate` command: its name, its options and how its errors are shown."""

import sys
from typing import Annotated

import typer

import headgate
from headgate.cli import serve, tail
from headgate.errors import HeadgateError

app = typer.Typer(
    name="headgate",
    help="Segment-style customer events into Amazon Kinesis streams that you own.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def headgate_options(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Segment-style customer events into Amazon Kinesis streams that you own."""
    if version:
        typer.echo(f"headgate {headgate.__version__}")
        raise typer.Exit


app.command("serve")(serve.serve)
app.command("tail")(tail.tail)


def run() -> None:
    """Run one command; an error of ours is one line on standard error and its exit status, no traceback."""
    try:
        app()
    except HeadgateError as error:
        print(f"headgate: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
