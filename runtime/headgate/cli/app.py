"""The `headgate` command: its name, its options and how its errors are shown."""

import sys
from typing import Annotated, NoReturn

import typer

import headgate
from headgate.cli import audience, check, console, plan, redrive, serve, settings, shards, tail, trait
from headgate.errors import INTERRUPTED, HeadgateError, one_line

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
app.command("check")(check.check)
app.command("tail")(tail.tail)
app.command("plan")(plan.plan)
app.command("console")(console.console)
app.command("shards")(shards.shards)
app.command("redrive")(redrive.redrive)
app.add_typer(audience.app, name="audience")
app.add_typer(trait.app, name="trait")
app.add_typer(settings.app, name="settings")


def run() -> None:
    """Run one command and exit; an error is one line on standard error and its exit status, no traceback."""
    try:
        sys.exit(app(standalone_mode=False))
    except HeadgateError as error:
        _end(f"headgate: {error}", error.exit_status)
    except typer.Abort:
        _end("headgate: interrupted", INTERRUPTED)
    except typer.TyperException as error:
        _end(_usage_line(error), error.exit_code)


def _usage_line(error: typer.TyperException) -> str:
    said = one_line(error.format_message())
    if not said:  # `headgate` alone: its help stands on the screen already
        return ""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "headgate"
    return f"{command}: {said} (see: {command} --help)"


def _end(line: str, exit_status: int) -> NoReturn:
    if line:
        print(line, file=sys.stderr)  # noqa: T201
    sys.exit(exit_status)
