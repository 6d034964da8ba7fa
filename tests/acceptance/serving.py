"""`headgate serve` as a process for sources of a test's own, and all that it tells of itself."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from demo.forwarder import HEADGATE
from demo.processes import Child, answer, running
from headgate.settings.schema import Source

CANARY = "only-the-customer-may-read-this"
"""It is in every event that the clients send, and must be in nothing that the forwarder tells."""

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Forwarder:
    """A running forwarder."""

    child: Child
    url: str
    status_url: str

    def lines(self) -> list[JsonObject]:
        """Return all that it has written, each line a JSON object: its log and its metrics."""
        text = self.child.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def said(self, **members: object) -> list[JsonObject]:
        """Return the lines of its log that have these members."""
        return [line for line in self.lines() if members.items() <= line.items()]

    def metrics(self) -> list[JsonObject]:
        """Return its lines of CloudWatch's embedded metric format."""
        return [line for line in self.lines() if "_aws" in line]

    def status(self) -> JsonObject:
        """Return what `/statusz` shows now."""
        page: JsonObject = json.loads(answer(self.status_url) or "{}")
        return page

    def destinations(self) -> dict[str, JsonObject]:
        """Return what `/statusz` shows of each destination, by source ID, slash, stream name."""
        shown: dict[str, JsonObject] = self.status()["destinations"]
        return shown

    def stop(self) -> None:
        """Tell it to stop, and wait until it has."""
        self.child.process.terminate()
        assert self.child.process.wait(20) == 0, self.child.last_line()


@contextmanager
def serving(
    sources: Sequence[Source], environment: Mapping[str, str], directory: Path, *options: str
) -> Iterator[Forwarder]:
    """Run a forwarder for as long as the block lasts.

    Args:
        sources: its settings.
        environment: variables in addition to this process's own.
        directory: where its settings and its log go.
        options: of `headgate serve`.
    """
    settings = directory / "sources.toml"
    settings.write_text(as_toml(sources), encoding="utf-8")
    with serving_from(str(settings), os.environ | environment, directory, *options) as forwarder:
        yield forwarder


@contextmanager
def serving_from(
    location: str, environment: Mapping[str, str], directory: Path, *options: str
) -> Iterator[Forwarder]:
    """Run a forwarder whose settings are elsewhere for as long as the block lasts.

    Args:
        location: what `--sources` says.
        environment: all of its environment variables.
        directory: where its log goes.
        options: of `headgate serve`.
    """
    log = directory / "serve.log"
    command = [HEADGATE, "serve", "--sources", location, "--port", "0", "--status-port", "0", "--drain", "0"]
    with running("serve", [*command, *options], environment=environment, log=log) as child:
        child.wait_until(lambda: b'"serving"' in log.read_bytes(), 25)
        told = {
            line["message"]: line.get("address") for line in map(json.loads, log.read_text().split("\n")[:-1])
        }
        yield Forwarder(child, f"http://{told['serving']}", str(told["status page"]))


def as_toml(sources: Sequence[Source]) -> str:
    """Return a `sources.toml`."""
    lines: list[str] = []
    for source in sources:
        lines += [
            "[[sources]]",
            f"id = {json.dumps(source.id)}",
            f"write_keys = {json.dumps(source.write_keys)}",
        ]
        for destination in source.destinations:
            given = msgspec.structs.asdict(destination).items()
            lines.append("[[sources.destinations]]")
            lines += [f"{name} = {json.dumps(value)}" for name, value in given if value is not None]
    return "\n".join(lines) + "\n"


async def eventually(condition: Callable[[], object], seconds: float = 15) -> None:
    """Return once the condition is true.

    Raises:
        AssertionError: it was not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)
