"""What the pages of destinations show of a source. No Secret ID and no write key is in any of it."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from botocore.session import Session

from headgate import regions
from headgate.console.destinations.settings_fields import DESTINATION, LABELS, NEW_SOURCE, SOURCE
from headgate.console.destinations.settings_form import shortened, shown_of, shown_of_new, shown_of_source
from headgate.console.destinations.source_paths import encoded, path_of
from headgate.console.sources import Listed, Sources, listed_of
from headgate.settings.schema import Destination
from headgate.settings.table.changes import worded
from headgate.settings.write_keys import shown

MOST_ID = 256
"""Characters of a source ID (headgate.settings.schema); DynamoDB refuses to look for much longer ones."""
FOLLOW_SECONDS = 10
"""How long workers take at most, about, to follow a table: a look every 5.5 s, and what it reads."""


def mark_of(source_id: str) -> str:
    """Return what of a source ID can be part of an element's id."""
    return sha256(source_id.encode()).hexdigest()[:12]


def where(destination: Destination) -> str:
    """Return what a destination is called, as the history calls it."""
    return f"{destination.region}/{destination.stream_name}"


BASICS: Mapping[str, Any] = {
    "encoded": encoded,
    "labels": LABELS,
    "mark_of": mark_of,
    "path_of": path_of,
    "shortened": shortened,
    "shown_key": shown,
    "where": where,
    "worded": lambda value: shortened(worded(value)),
    "follow_seconds": FOLLOW_SECONDS,
}
"""What every template of these pages may call."""


def one(sources: Sources, source_id: str) -> Listed | None:
    """Return a source; None if there is none. It blocks.

    Raises:
        SettingsError, AwsError: as `Sources.every`.
    """
    if sources.table is None:
        return next((each for each in sources.every() if each.source.id == source_id), None)
    kept = sources.table.source(source_id) if 0 < len(source_id) <= MOST_ID else None
    return listed_of(kept) if kept is not None else None


@lru_cache(maxsize=1)
def known_regions(session: Session) -> tuple[str, ...]:
    """Return the regions that Kinesis is known to be in. It blocks, once."""
    return tuple(sorted(regions.listed(session)))


def view(listed: Listed, place: int) -> dict[str, Any]:
    """Return what the page of a destination shows.

    Args:
        listed: its source.
        place: which of the source's it is, from 1 on; the one after the last is yet to be made.
    """
    destinations = listed.source.destinations
    destination = destinations[place - 1] if place <= len(destinations) else None
    return {
        **BASICS,
        "listed": listed,
        "source": listed.source,
        "destination": destination,
        "place": place,
        "destination_fields": DESTINATION,
        "source_fields": SOURCE,
        "shown": shown_of(destination) if destination is not None else shown_of_new(),
        "shown_source": shown_of_source(listed.source),
        "has_secret": destination is not None and has_secret(destination),
    }


def view_of_new() -> dict[str, Any]:
    """Return what the page of a source shows that is yet to be made."""
    return {
        **BASICS,
        "source": None,
        "destination_fields": DESTINATION,
        "source_fields": NEW_SOURCE,
        "shown": shown_of_new(),
        "has_secret": False,
    }


def has_secret(destination: Destination) -> bool:
    """Return whether a destination has a Secret ID, be it plain or encrypted."""
    return (destination.secret_id or getattr(destination, "encrypted_secret_id", None)) is not None
