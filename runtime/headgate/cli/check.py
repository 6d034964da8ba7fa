"""`headgate check`: whether each destination can be delivered to, and if not, what is wrong."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec
import typer

from headgate.cli.output import Pipe, console, ended_by_its_reader
from headgate.errors import UsageError
from headgate.texts import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headgate.checking.check import Check
    from headgate.checking.outcomes import Step
    from headgate.settings.schema import Destination, Source

_COLOURS = {"ok": "bold green", "failed": "bold red", "unknown": "bold yellow", "skipped": "dim"}


def check(
    sources: Annotated[
        str, typer.Option(metavar="STORE", help="The sources, as `headgate serve` reads them.")
    ] = "sources.toml",
    source: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Check this source alone, by its ID.", show_default="all of them"),
    ] = None,
    put: Annotated[
        bool,
        typer.Option(
            "--put",
            help="Put a test event too: with DryRun, which writes nothing where the service knows it.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Find out whether each destination can be delivered to, and if not, what is wrong.

    Run it where the forwarder runs, or with its credentials. Nothing is written unless --put is given.
    A step holds, is wrong, cannot be told from here, or is skipped, because it needs one that is wrong.
    The exit status is 1 where something is wrong.

    On a terminal a line of each step. In a pipe one JSON object a line, of each step as it comes. With
    --json one object at the end.

    Example: headgate check --sources sources.toml --source 8kf3Qw2LpZ
    """
    from headgate.checking.check import Check
    from headgate.clients import own_session
    from headgate.settings.locate import store_at

    session = own_session()
    chosen = _chosen(store_at(sources, session).latest().sources().values(), source)
    show: Show = _Json() if as_json else _OnTerminal() if sys.stdout.isatty() else _InPipe()
    with ended_by_its_reader():
        for each in chosen:
            for destination in each.destinations:
                show.check(each, destination, Check(session, each, destination, put_too=put))
        raise typer.Exit(0 if show.end() else 1)


def _chosen(every: "Iterable[Source]", source_id: str | None) -> "list[Source]":
    by_id = {each.id: each for each in every}
    if source_id is None:
        return list(by_id.values())
    if source_id not in by_id:
        raise UsageError(f"--source: no source has the ID {source_id!r}; there are: {', '.join(by_id)}")
    return [by_id[source_id]]


class Show(Protocol):
    """How checks are shown."""

    def check(self, source: "Source", destination: "Destination", check: "Check") -> None:
        """Make a check, and show it."""

    def end(self) -> bool:
        """Show what all came to; return whether nothing is wrong."""


class _InPipe:
    """A JSON object a step, as it comes."""

    def __init__(self) -> None:
        self._pipe = Pipe()
        self._holds = True

    def check(self, source: "Source", destination: "Destination", check: "Check") -> None:
        place = _place(source, destination)
        for step in check.steps(lambda _: None):
            self._holds = self._holds and step.outcome.state != "failed"
            self._pipe.write(msgspec.json.encode(place | _members(step)) + b"\n")

    def end(self) -> bool:
        return self._holds


class _Json:
    def __init__(self) -> None:
        self._destinations: list[dict[str, Any]] = []

    def check(self, source: "Source", destination: "Destination", check: "Check") -> None:
        steps = [_members(step) for step in check.steps(lambda _: None)]
        holds = all(step["state"] in ("ok", "unknown") for step in steps)
        self._destinations.append(_place(source, destination) | {"ok": holds, "steps": steps})

    def end(self) -> bool:
        import json

        holds = all(each["ok"] for each in self._destinations)
        typer.echo(json.dumps({"ok": holds, "destinations": self._destinations}, indent=2))
        return holds


def _place(source: "Source", destination: "Destination") -> dict[str, Any]:
    return {
        "source_id": source.id,
        "region": destination.region,
        "stream_name": destination.stream_name,
        "role_address": destination.role_address,
    }


def _members(step: "Step") -> dict[str, Any]:
    outcome = step.outcome
    return {
        "step": step.name,
        "state": outcome.state,
        "seconds": round(step.seconds, 3),
        "detail": outcome.detail,
        "fix": outcome.fix,
    }


class _OnTerminal:
    """A line a step, as it comes."""

    def __init__(self) -> None:
        self._console = console(soft_wrap=True)
        unicode = self._console.encoding.startswith("utf")
        self._signs = dict(zip(_COLOURS, "✓✗?-" if unicode else ("ok", "failed", "?", "-"), strict=True))
        self._spinner = "dots" if unicode else "line"
        self._wrong = self._checked = 0

    def check(self, source: "Source", destination: "Destination", check: "Check") -> None:
        from rich.text import Text

        name = f" ({source.name})" if source.name else ""
        where = f"{source.id}{name} to {destination.stream_name} in {destination.region}"
        self._console.print(Text(printable(where), "bold"))
        holds = True
        with self._console.status("", spinner=self._spinner) as status:
            for step in check.steps(lambda name: status.update(Text(name))):
                self._step(step)
                holds = holds and step.outcome.state != "failed"
        self._checked += 1
        self._wrong += not holds

    def _step(self, step: "Step") -> None:
        from rich.text import Text

        state = step.outcome.state
        self._console.print(
            Text.assemble(
                "  ",
                (self._signs[state], _COLOURS[state]),
                f" {step.name:<11}",
                (f" {step.seconds:6.2f} s  ", "dim"),
                printable(step.outcome.line),
            )
        )

    def end(self) -> bool:
        many = f"{self._checked} destination{'' if self._checked == 1 else 's'}"
        if self._wrong:
            self._console.print(f"Something is wrong with {self._wrong} of {many}.")
        else:
            self._console.print(f"Nothing is wrong with {many}, as far as can be told from here.")
        return not self._wrong
