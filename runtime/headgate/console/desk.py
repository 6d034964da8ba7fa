"""What every page works with."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import aiohttp
from botocore.session import Session
from starlette.requests import Request

from headgate.console.feed import Feeds
from headgate.console.sources import Listed, Sources
from headgate.threads import in_thread


class Elsewhere(NamedTuple):
    """A forwarder of whose metrics CloudWatch is told."""

    service: str
    """What its `--service-name` says."""
    region: str


@dataclass(frozen=True, kw_only=True)
class ConsoleOptions:
    """What the console is opened on."""

    sources: str
    """As `headgate serve --sources` takes it."""
    forwarder: str
    """URL of the forwarder that the event tester sends through."""
    status: str
    """URL of its status page."""
    cloudwatch: Elsewhere | None = None
    """The forwarder whose figures are shown in place of those of the status page."""
    dead_letter_queue: str | None = None
    """URL of the queue of the dead letters."""
    dead_letter_file: Path | None = None
    """The file of the dead letters; one of both at most."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The operator's credentials and what they open."""

    options: ConsoleOptions
    session: Session
    sources: Sources
    feeds: Feeds
    http: aiohttp.ClientSession
    """For the forwarder and its status page alone."""

    async def listed(self) -> list[Listed]:
        """Return all sources as they are now.

        Raises:
            SettingsError, AwsError: see `Sources.every`.
        """
        return await in_thread(self.sources.every)


def desk_of(request: Request) -> Desk:
    """Return the desk of the console that was asked."""
    desk: Desk = request.app.state.desk
    return desk
