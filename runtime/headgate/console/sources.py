"""The sources that the console is opened on, as what keeps them tells of them. All of it blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from botocore.session import Session

from headgate.console.feed import Stream
from headgate.settings.locate import store_at
from headgate.settings.schema import Destination, Source
from headgate.settings.table.layout import Kept
from headgate.settings.table.opened import open_table
from headgate.settings.table.store import TableStore


@dataclass(frozen=True, slots=True)
class Listed:
    """A source, and of which version it is where a table keeps it.

    Of a table its Secret IDs are encrypted and its write keys hashes; of a file both are plain, so nothing of
    it goes to a page as it is.
    """

    source: Source
    version: int | None = None
    changed_at: str | None = None
    changed_by: str | None = None


def listed_of(kept: Kept) -> Listed:
    """Return a source of a table."""
    return Listed(kept.source, kept.number, kept.changed_at, kept.changed_by)


class Sources:
    """Where sources are kept.

    Args:
        location: what `headgate serve --sources` takes.
        session: with the operator's credentials.

    Raises:
        UsageError: it is no such location.
    """

    def __init__(self, location: str, session: Session) -> None:
        self._store = store_at(location, session)
        self.name = self._store.name
        self.opened = open_table(session, location) if isinstance(self._store, TableStore) else None
        """The table that keeps them, if one does; only there they can be changed."""
        self.table = self.opened.table if self.opened is not None else None

    def every(self) -> list[Listed]:
        """Return all of them, by ID.

        Raises:
            SettingsError: they are not valid.
            AwsError: they cannot be read now.
        """
        if self.table is not None:
            found = [listed_of(each) for each in self.table.sources()]
        else:
            by_id = {each.id: each for each in self._store.latest().sources().values()}
            found = [Listed(each) for each in by_id.values()]
        return sorted(found, key=lambda each: each.source.id)


Place = tuple[Source, int, Destination]
"""A source, the place of one of its destinations from 1 on, and that."""


def places(listed: Sequence[Listed]) -> Iterator[Place]:
    """Give every destination of some sources."""
    for each in listed:
        for number, destination in enumerate(each.source.destinations, start=1):
            yield each.source, number, destination


def stream_of(destination: Destination) -> Stream:
    """Return the stream of a destination."""
    return Stream(destination.region, destination.stream_name)


def every_stream(
    listed: Sequence[Listed], wanted: Callable[[Destination], bool] = lambda _: True
) -> list[Stream]:
    """Return the streams of some sources, each once, in their order."""
    return list(
        dict.fromkeys(stream_of(destination) for *_, destination in places(listed) if wanted(destination))
    )
